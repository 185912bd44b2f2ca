namespace LazySnapshotter.Layers.Spans;

// How a layer's tar is packed. The values are stored in index files.
public enum LayerCompression
{
    None = 1,
    Gzip = 2,
}
