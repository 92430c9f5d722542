"""The agents as the server runs them: between the CTI link, the agent model, the notification service and REST.

`service` is the door; `request_lines` sends, `publishing` tells, `absence` signs out who is gone. Each owns its state.
"""

from __future__ import annotations

from poise.server.agents.service import AgentService, ServiceFacts

__all__ = ["AgentService", "ServiceFacts"]
