using System.Formats.Tar;
using System.IO.Compression;
using LazySnapshotter.Layers.Soci;
using LazySnapshotter.Layers.Toc;
using EntryType = System.Formats.Tar.TarEntryType;

namespace LazySnapshotter.Fuzz.Targets;

// soci's zTOCs: the FlatBuffers reader, everything a zTOC says of spans and entries, and the tree built of them. What is
// taken must be fit to be used: spans in the layer, windows of full length.
internal sealed class ZtocTarget : FuzzTarget
{
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(() => [Make(isGzip: false), Make(isGzip: true)]);

    public override string Name => "ztoc";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 80 * 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        var ztoc = Ztoc.Parse(input.ToArray());
        for (var span = 0; span < ztoc.SpanCount; span++)
        {
            var (start, _) = ztoc.UncompressedRange(span);
            if (start < 0 || ztoc.StartBits[span] / 8 >= ztoc.CompressedLength)
                throw new InvalidOperationException($"span {span} lies outside the layer");
            _ = ztoc.Window(span).Length;
        }

        var builder = new TocBuilder();
        new ZtocEntries(ztoc, dropXattrs: random.OneIn(2)).AddTo(builder);
        builder.Build();
    }

    private static byte[] Make(bool isGzip)
    {
        using var layer = new MemoryStream();
        using (var compressed = isGzip ? new GZipStream(layer, CompressionLevel.Optimal, leaveOpen: true) : (Stream)new MemoryStream())
        {
            using (var tar = new TarWriter(isGzip ? compressed : layer, TarEntryFormat.Pax, leaveOpen: true))
            {
                tar.WriteEntry(new PaxTarEntry(EntryType.Directory, "d/"));
                tar.WriteEntry(
                    new PaxTarEntry(EntryType.RegularFile, "d/f", new Dictionary<string, string> { ["SCHILY.xattr.user.x"] = "y" })
                {
                    DataStream = new MemoryStream("some text"u8.ToArray()),
                });
                tar.WriteEntry(new PaxTarEntry(EntryType.HardLink, "d/h") { LinkName = "d/f" });
                tar.WriteEntry(new PaxTarEntry(EntryType.SymbolicLink, "d/s") { LinkName = "f" });
                tar.WriteEntry(new PaxTarEntry(EntryType.CharacterDevice, "d/c") { DeviceMajor = 1, DeviceMinor = 3 });
            }
        }

        layer.Position = 0;
        using var ztoc = new MemoryStream();
        ZtocBuilder.BuildAsync(layer, ztoc, new ZtocOptions { SpanLength = 4096 }, CancellationToken.None).GetAwaiter().GetResult();
        return ztoc.ToArray();
    }
}
