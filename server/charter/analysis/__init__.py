"""Facts computed from the model, published for rules to subscribe to. It knows no rule."""
