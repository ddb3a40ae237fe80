"""What keeps a strategy's code from the machine: limits that its process puts on itself."""
