"""The notification service: listeners for BOSH and XMPP over TCP, their sessions, and the pubsub host they share."""
