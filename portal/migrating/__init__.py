"""Migrations of a database that is at work: what one may do, and how they are applied."""
