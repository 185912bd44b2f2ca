using LazySnapshotter.Linux;

namespace LazySnapshotter.TestSupport.Images;

// One image of tests/images as an OCI layout on disk.
public sealed record TestImage(string Name, string LayoutPath)
{
    public const string Tag = "latest";

    /// <summary>As skopeo and umoci name it.</summary>
    public string Location => $"oci:{LayoutPath}:{Tag}";

    /// <summary>Directories that no layer's tar gives a time: they get the time of unpacking ("/" is always one).
    /// Paths as in the container, bytes.</summary>
    public IReadOnlySet<LinuxPath> DirectoriesWithoutRecordedTime { get; } =
        ReadPaths(Path.Combine(Path.GetDirectoryName(LayoutPath)!, "unpack-times"));

    private static HashSet<LinuxPath> ReadPaths(string file)
    {
        var paths = new HashSet<LinuxPath>();
        var bytes = File.ReadAllBytes(file).AsSpan();
        foreach (var range in bytes.Split((byte)0))
        {
            if (!bytes[range].IsEmpty)
                paths.Add(new LinuxPath(bytes[range]));
        }

        return paths;
    }
}
