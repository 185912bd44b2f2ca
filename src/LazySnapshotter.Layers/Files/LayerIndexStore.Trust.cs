using System.Text;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Layers.Files;

// Who vouches for an index on this node (docs/SECURITY.md). An index says what a layer's files are called and where they lie;
// whether that is true shows only when the whole blob was seen. Until then it counts for the images of those repositories
// that published it, because who may push there may change those images anyway, and for nobody else.
public sealed partial class LayerIndexStore
{
    private const string VerifiedSuffix = ".verified";
    private const string PublisherSuffix = ".from";
    private const int PublisherHashLength = 32;

    /// <summary>The file is here and of a version of the format that another program reads, an older or a newer one.</summary>
    public bool IsOfOtherVersion(Digest layer, string identity) =>
        File.Exists(PathOf(layer, identity)) && LayerIndexReader.IsOfOtherVersion(PathOf(layer, identity));

    /// <summary>The index was made of the layer's whole blob, or compared with all of it.</summary>
    public bool IsVerified(Digest layer, string identity) => File.Exists(VerifiedMark(layer, identity));

    /// <summary>Notes that the index was compared with the whole blob, and that all of it is right.</summary>
    public void SetVerified(Digest layer, string identity) => WriteMark(VerifiedMark(layer, identity), "");

    /// <param name="repository">Registry and repository, as <see cref="ImageReference.Name"/> has them.</param>
    public bool IsPublishedBy(Digest layer, string identity, string repository) => File.Exists(PublisherMark(layer, identity, repository));

    /// <summary>Notes that the repository published the index.</summary>
    /// <inheritdoc cref="IsPublishedBy"/>
    public void SetPublished(Digest layer, string identity, string repository) =>
        WriteMark(PublisherMark(layer, identity, repository), repository);

    /// <summary>Somebody vouches for the index; an index left by a program that did not keep track has nobody.</summary>
    public bool IsVouchedFor(Digest layer, string identity) => IsVerified(layer, identity)
        || (Directory.Exists(DirectoryOf(layer)) && Directory.EnumerateFiles(DirectoryOf(layer), $"{identity}.*{PublisherSuffix}").Any());

    private string VerifiedMark(Digest layer, string identity) => Path.Combine(DirectoryOf(layer), identity + VerifiedSuffix);

    // A repository's name may be longer than a file's.
    private string PublisherMark(Digest layer, string identity, string repository)
    {
        var hash = Digest.OfSha256(Encoding.UTF8.GetBytes(repository)).Hex[..PublisherHashLength];
        return Path.Combine(DirectoryOf(layer), $"{identity}.{hash}{PublisherSuffix}");
    }

    private static void WriteMark(string path, string content)
    {
        if (File.Exists(path))
            return;
        using var file = new AtomicFile(path);
        file.Stream.Write(Encoding.UTF8.GetBytes(content));
        file.Commit();
    }
}
