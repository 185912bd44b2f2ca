namespace LazySnapshotter.Artifacts.Sources;

/// <summary>The files an image lies in: a directory's, or an archive's entries.</summary>
internal interface IImageFiles
{
    /// <summary>The directory or archive, for messages.</summary>
    string Name { get; }

    /// <param name="path">Relative, components separated by slashes.</param>
    FileRegion? Find(string path);
}
