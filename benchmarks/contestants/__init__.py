"""The programs that are compared: each as a user would write it, in a process of its own."""
