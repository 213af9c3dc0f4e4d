//! A bounded pool of threads behind one accepting thread.
