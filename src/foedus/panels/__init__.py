"""The units of analysis: who exists, with whom, and when. Spines only; columns come later."""
