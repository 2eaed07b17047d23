"""What the application is told: webhooks, brokers and Python functions, retried until they have heard it."""
