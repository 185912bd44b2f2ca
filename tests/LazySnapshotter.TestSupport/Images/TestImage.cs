using LazySnapshotter.Linux;
using LazySnapshotter.Oci;

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

    /// <summary>What containerd names the snapshot of the whole image.</summary>
    public Digest ChainId =>
        Oci.ChainId.ForEachLayer(OciJson.ReadConfig(ReadBlob(ReadManifest().Config.Digest), LayoutPath).RootFs.DiffIds)[^1];

    /// <summary>Lowest first.</summary>
    public IReadOnlyList<Descriptor> Layers => ReadManifest().Layers;

    public long CompressedBytes => Layers.Sum(layer => layer.Size);

    private ImageManifest ReadManifest()
    {
        var index = OciJson.ReadIndex(File.ReadAllBytes(Path.Combine(LayoutPath, "index.json")), LayoutPath);
        return OciJson.ReadManifest(ReadBlob(index.Manifests[0].Digest), LayoutPath);
    }

    private byte[] ReadBlob(Digest digest) => File.ReadAllBytes(Path.Combine(LayoutPath, "blobs", digest.Algorithm, digest.Hex));

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
