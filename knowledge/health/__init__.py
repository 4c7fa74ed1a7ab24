"""How healthy is what a shop knows: findings about documents, and questions nobody answers."""
