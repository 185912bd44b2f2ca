namespace LazySnapshotter.Layers.Tar;

// Gets the entries of a tar in order, each when its headers have been read and its data is still to come.
internal interface ITarSink
{
    void Add(TarEntry entry);
}
