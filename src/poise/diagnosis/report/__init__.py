"""An analysis to keep or to hand on: one HTML file, Markdown for a ticket, a trace for a timeline viewer."""
