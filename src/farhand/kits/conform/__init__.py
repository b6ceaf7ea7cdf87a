"""`farhand conform`: does a robot keep the rules of docs/safety.md? Against any robot."""
