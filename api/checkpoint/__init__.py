"""Run the signer of checkpoints: rounds, witnesses, publishing, and how it fares."""
