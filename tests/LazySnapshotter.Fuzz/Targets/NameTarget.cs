using System.Text;
using LazySnapshotter.Artifacts.Sources;
using LazySnapshotter.Cli.Output;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Fuzz.Targets;

// Short texts that name something: image references, digests, platforms, image sources, Go's lengths of time, sizes. Each text is
// tried as all of them; what is taken is the same when it is written and read again.
internal sealed class NameTarget : FuzzTarget
{
    public override string Name => "name";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        "python", "docker.io/library/python:3.12-slim", "localhost:5000/a/b__c--d@" + SampleText.Digest, "[::1]:5000/x:y",
        "registry.example/team/image:tag@" + SampleText.Digest,
        SampleText.Digest, "linux/arm/v7", "amd64", "windows", "1h30m", "1.5s", "300ms", "1.5 MiB", "oci:/dir/layout:tag",
        "docker-archive:/a/b.tar:image:tag", "containerd:docker.io/library/x:y");

    public override IReadOnlyList<string> Words { get; } =
        ["sha256:", "sha512:", "docker.io/", "index.docker.io/", "library/", "localhost", "oci:", "oci-archive:", "docker-archive:",
            "containerd:", "docker://", "linux/", "ns", "µs", "@", "[::", "]:"];

    public override int LengthMax => 600;

    public override bool IsRefusal(Exception exception) => exception is FormatException;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var text = Encoding.UTF8.GetString(input);
        var taken = Digest.TryParse(text, out var digest) ? 1 : 0;
        if (taken > 0 && (digest != Digest.Parse(digest.ToString()) || digest.Algorithm + ":" + digest.Hex != text))
            throw new InvalidOperationException("another digest");
        taken += Try(text, ImageReference.Parse, UseReference);
        taken += Try(text, Platform.Parse, static platform =>
        {
            if (Platform.Parse(platform.ToString()) != platform || !platform.Runs(platform))
                throw new InvalidOperationException($"{platform} is another platform");
        });
        taken += Try(text, ImageSourceName.Parse, static source => _ = (source.Kind, source.Path, source.Reference));
        if (GoDuration.TryParse(text, out var duration))
        {
            taken++;
            if (duration < TimeSpan.Zero || duration.TotalMilliseconds > int.MaxValue)
                throw new InvalidOperationException($"{duration} is no length of time that a timer can count");
        }

        if (ByteSize.TryParse(text, out var bytes))
        {
            taken++;
            if (bytes < 0)
                throw new InvalidOperationException($"{bytes} bytes");
        }

        if (taken == 0)
            throw new FormatException("none of these");
    }

    private static int Try<T>(string text, Func<string, T> parse, Action<T> use)
    {
        T value;
        try
        {
            value = parse(text);
        }
        catch (FormatException)
        {
            return 0;
        }

        use(value);
        return 1;
    }

    private static void UseReference(ImageReference reference)
    {
        if (ImageReference.Parse(reference.ToString()) != reference)
            throw new InvalidOperationException($"{reference} is another reference");
        // It becomes a URL.
        var uri = new Uri($"https://{reference.Registry}/v2/{reference.Repository}/manifests/{reference.TagOrDigest}");
        if (uri.AbsolutePath != $"/v2/{reference.Repository}/manifests/{reference.TagOrDigest}"
            || uri.Query.Length + uri.Fragment.Length + uri.UserInfo.Length > 0)
            throw new InvalidOperationException($"{reference} leads to {uri}");
    }
}
