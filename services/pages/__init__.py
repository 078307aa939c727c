"""The screens: a client of the public interface that lives in the same process and knows nothing more."""
