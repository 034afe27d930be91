"""Slack, Discord, Teams, Telegram and a hundred more, through the package Apprise."""
