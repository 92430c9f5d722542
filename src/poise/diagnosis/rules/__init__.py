"""Rules by side. Each looks at one disconnect and the site around it and says what it sees, or nothing."""
