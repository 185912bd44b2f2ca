using System.Security.Cryptography;
using System.Text;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;
using Microsoft.Extensions.Logging.Abstractions;

namespace LazySnapshotter.Fuzz.Targets;

// What registries said, read back from disk after a restart: ours, but signed URLs and challenges in it are what strangers
// sent. Repair makes the digest in the first line right.
internal sealed class RegistryMemoryTarget : FuzzTarget
{
    private const int DigestLength = 64;

    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(MakeSeeds);

    public override string Name => "registry-memory";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override IReadOnlyList<string> Words { get; } =
        ["\"challenges\":[", "\"tokens\":[", "\"locations\":[", "\"tags\":[", "\"gaps\":[", "\"parameters\":{", "\"url\":",
            "\"expiresAt\":", "null", "\\ud800", "\"scheme\":"];

    public override int LengthMax => 8192;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        using var folder = new Folder();
        folder.Write(input);
        if (new MemoryFile(folder.Path).Read() is not { } document)
            throw new InvalidOperationException("the file is there and was not read");
        _ = document.Halved();
        using var memory = new RegistryMemory(new RegistryOptions { MemoryPath = folder.Path }, NullLogger.Instance);
        foreach (var challenge in memory.Challenges.Living())
            _ = challenge.ToChallenge().Realm;
        foreach (var location in memory.Locations.Living())
            _ = new Uri(location.Url).Authority;
        foreach (var tag in memory.Tags.Living())
            _ = tag.Names;
        _ = memory.Tokens.Living().Count + memory.Gaps.Living().Count;
    }

    public override void Repair(Span<byte> input)
    {
        var end = input.IndexOf((byte)'\n');
        var digest = end < 0 ? -1 : input[..end].IndexOf("\"sha256\":\""u8);
        if (digest < 0 || digest + 10 + DigestLength > end || input.Length < end + 2)
            return;
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(input[(end + 1)..^1])), input.Slice(digest + 10, DigestLength));
    }

    private static byte[][] MakeSeeds()
    {
        var (learned, expires) = (DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        var document = new MemoryDocument(
            new byte[32],
            [new RememberedChallenge(
                "https://a.example", "https://a.example", learned, expires, "bearer", new Dictionary<string,
                string> { ["realm"] = "https://b.example/token" })],
            [new RememberedToken("https://a.example", "repository:x:pull", "repository:x:pull", learned, expires, "nobody", "abc")],
            [new RememberedLocation(
                "a.example", "x", SampleText.Digest, "https://a.example", learned, expires, "https://c.example/blob?Expires=1")],
            [new RememberedTag("a.example", "x", "latest", learned, expires, SampleText.Digest, "https://a.example", "\"e\"")],
            [new RememberedGap("a.example", RememberedGap.Ranges, learned, expires)]);
        using var folder = new Folder();
        new MemoryFile(folder.Path).Write(document);
        var full = folder.Read();
        new MemoryFile(folder.Path).Write(new MemoryDocument(new byte[32], null, null, null, null, null));
        return [full, folder.Read()];
    }

    private sealed class Folder : IDisposable
    {
        private readonly ScratchFile _name = new(".memory");

        public Folder() => Directory.CreateDirectory(_name.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        public string Path => _name.Path;

        private string File => System.IO.Path.Combine(Path, MemoryFile.FileName);

        public void Write(ReadOnlySpan<byte> content)
        {
            using var file = new FileStream(
                File, new FileStreamOptions
                {
                    Mode = FileMode.Create,
                    Access = FileAccess.Write,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                });
            file.Write(content);
        }

        public byte[] Read() => System.IO.File.ReadAllBytes(File);

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
