namespace LazySnapshotter.Artifacts.Sources;

// An OCI layout's directory. Only names made of this program's own words and of digests' hexadecimal digits are looked
// for, so none leads out of it.
internal sealed class DirectoryFiles : IImageFiles
{
    private readonly string _directory;

    public DirectoryFiles(string directory)
    {
        if (File.Exists(directory))
            throw new IOException($"{directory}: it is a file; oci: reads a directory, oci-archive: and docker-archive: read a file");
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"{directory}: no such directory");
        _directory = directory;
    }

    public string Name => _directory;

    public FileRegion? Find(string path)
    {
        var file = Path.Combine(_directory, path);
        return new FileInfo(file) is { Exists: true } found ? new FileRegion(file, 0, found.Length, file) : null;
    }
}
