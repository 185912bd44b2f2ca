namespace LazySnapshotter.Layers.Spans;

// The number of a span within its layer, from 0.
public readonly record struct SpanId(int Value)
{
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
