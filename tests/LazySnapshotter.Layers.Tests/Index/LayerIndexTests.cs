using System.Security.Cryptography;
using LazySnapshotter.Codecs.Deflate;
using LazySnapshotter.Layers.Build;
using LazySnapshotter.Layers.Decoding;
using LazySnapshotter.Layers.Format;
using LazySnapshotter.Layers.Placement;
using LazySnapshotter.Layers.Spans;
using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Tests.Gzip;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Index;

// The index file: what is written can be read, and what was damaged is refused with the name of the part.
public sealed class LayerIndexTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_build_says_what_it_made_and_copies_what_it_read()
    {
        var tar = GzipProducerTests.RandomTar(seed: 30, length: 300_000);
        var blob = TestGzip.Member(tar);
        using var copy = new MemoryStream();
        var progress = new Recorder();
        var options = new LayerIndexOptions { Placement = CheckpointPlacement.Uniform(50_000), CopyTo = bytes =>
            copy.Write(bytes.Span), Progress = progress, ExpectedDigest = Digest.OfSha256(blob) };
        var result = await LayerIndexBuilder.BuildAsync(new TrickleStream(blob, 1), _folder["index"], options, CancellationToken.None);

        Assert.Equal(blob, copy.ToArray());
        Assert.Equal(blob.Length, progress.Last);
        using var index = LayerIndex.Open(_folder["index"]);
        Assert.Equal(Digest.OfSha256(blob), index.LayerDigest);
        Assert.Equal(Digest.OfSha256(tar), index.DiffId);
        Assert.Equal(
            new LayerIndexBuildResult(
                index.LayerDigest, index.DiffId!.Value, LayerCompression.Gzip, blob.Length, tar.Length, index.Spans.Count, 4, index.Id,
                index.FileLength),
            result);
        Assert.Equal(new FileInfo(_folder["index"]).Length, index.FileLength);
        Assert.Equal(["index"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Everything_in_a_toc_survives_the_file()
    {
        using var layer = BuiltLayer.Of(new TestTar()
            .Pax(("mtime", "1234567890.5"), ("SCHILY.xattr.user.a", "\0\xff"), ("uid", "4294967294")).Add("xattrs", mode: 0xFFF)
            .Pax(("mtime", "1234567890.5"), ("uid", "4294967294")).Add("link", '1', link: "xattrs", mode: 0xFFF)
                .Add("symlink", '2', link: "../target\xff").Add("char", '3', tweak: LargestDevice)
            .Add("block", '4')
                .Add("fifo", '6').Add("a/b/c/implicit").Add("a/.wh.gone").Add("a/b/.wh..wh..opq").Directory("empty1").Directory("empty2")
            .Pax(("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.map", "5,3,100,2"), ("GNU.sparse.size", "1000"))
                .Add("sparse", data: "abcde").End());
        Assert.Equal((4095u, 1048575u), (layer["char"].DeviceMajor, layer["char"].DeviceMinor));
        Assert.Equal((1234567890L, 500_000_000u, 4294967294u, 0xFFFu),
            (layer["link"].MtimeSeconds, layer["link"].MtimeNanoseconds, layer["link"].Uid, layer["link"].Mode));
        Assert.Equal(TestTar.Bytes("../target\xff"), layer.Toc.LinkTarget(layer.Entry("symlink")).ToArray());
        Assert.Equal([(5L, 3L), (100L, 2L)], layer.Toc.Extents(layer.Entry("sparse")).Select(extent => (extent.FileOffset, extent.Length)));
        Assert.Equal(1000, layer["sparse"].Size);
        Assert.Equal("de"u8.ToArray(), layer.ReadFile(layer.Entry("sparse"))[100..102]);
        Assert.Equal(3, layer.Toc.ImplicitDirectories.Count);
    }

    [Fact]
    public void Every_damaged_byte_is_noticed_before_it_can_matter()
    {
        using var layer = SmallLayer();
        var file = File.ReadAllBytes(layer.Path);
        var tar = layer.ReadTar(0, layer.Spans.UncompressedLength);
        for (var position = 0; position < file.Length; position++)
        {
            var damaged = (byte[])file.Clone();
            damaged[position] ^= 0x41;
            File.WriteAllBytes(_folder["damaged"], damaged);
            var message = Assert.Throws<InvalidDataException>(() =>
            {
                using var index = LayerIndex.Open(_folder["damaged"], layer.Index.LayerDigest);
                index.VerifyWindows();
            }).Message;
            Assert.Contains("index", message, StringComparison.Ordinal);
        }

        Assert.Equal(Digest.OfSha256(tar), layer.Index.DiffId);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        using var layer = SmallLayer();
        var file = File.ReadAllBytes(layer.Path);
        for (var length = 0; length < file.Length; length++)
        {
            File.WriteAllBytes(_folder["cut"], file[..length]);
            var message = Assert.Throws<InvalidDataException>(() => LayerIndex.Open(_folder["cut"]).Dispose()).Message;
            Assert.Contains($"index, header: cut short at {length} bytes", message, StringComparison.Ordinal);
        }

        File.WriteAllBytes(_folder["long"], [.. file, 0]);
        Assert.Contains("bytes long, not", Assert.Throws<InvalidDataException>(
            () => LayerIndex.Open(_folder["long"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_message_names_file_and_part()
    {
        using var layer = SmallLayer();
        var file = File.ReadAllBytes(layer.Path);
        Assert.Contains("index, header: not an index file", Refusal(file, bytes => bytes[0] = 0), StringComparison.Ordinal);
        Assert.Contains("index, header: version 1 is unknown", Refusal(file, bytes => bytes[8] = 1), StringComparison.Ordinal);
        Assert.Contains("index, header: the header's checksum", Refusal(file, bytes => bytes[40]++), StringComparison.Ordinal);
        Assert.Contains(
            "index, TOC section: the checksum", Refusal(file, bytes => bytes[LayerIndexHeader.Length]++), StringComparison.Ordinal);
        Assert.Contains(_folder["damaged"], Refusal(file, bytes => bytes[0] = 0), StringComparison.Ordinal);

        var other = Digest.OfSha256("other"u8);
        var message = Assert.Throws<InvalidDataException>(() => LayerIndex.Open(layer.Path, other)).Message;
        Assert.Contains($"belongs to layer {layer.Index.LayerDigest}, not to {other}", message, StringComparison.Ordinal);

        Assert.Contains("index, footer: wrong magic", Refusal(file, bytes => bytes[^1]++), StringComparison.Ordinal);
        Assert.Contains(
            "index, footer: its version", Refusal(file, bytes => bytes[^(LayerIndexFooter.Length - 32)]++), StringComparison.Ordinal);
        Assert.Contains(
            "index, footer: its lengths", Refusal(file, bytes => bytes[^(LayerIndexFooter.Length - 40)]++), StringComparison.Ordinal);
        Assert.Contains("index, footer: its layer", Refusal(file, bytes => bytes[^20]++), StringComparison.Ordinal);

        File.WriteAllBytes(_folder["window"], file);
        using (var stream = File.OpenWrite(_folder["window"]))
        {
            stream.Position = file.Length - LayerIndexFooter.Length - 1;
            stream.WriteByte((byte)(file[stream.Position] ^ 1));
        }

        using var damaged = LayerIndex.Open(_folder["window"]);
        var last = new SpanId(damaged.Spans.Count - 1);
        Assert.Contains($"index, window of span {last}: the checksum", Assert.Throws<InvalidDataException>(
            () => damaged.LoadWindow(last)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_content_gives_the_same_file_on_every_machine()
    {
        // Golden: if this changes on purpose, so does every index file, and the version with it.
        var builder = new TocBuilder();
        var parser = new TarParser(builder);
        parser.Append(SmallTar);
        parser.Complete();
        using var windows = new WindowSpool(_folder.Path);
        windows.Add(default);
        windows.Add(WindowEncoding.Encode(SmallTar.AsSpan(0, 2000), WindowEncoding.AllReferenced));
        windows.Add(WindowEncoding.Encode(
            SmallTar.AsSpan(1000, 3000), [0xFF00FF, 0, ulong.MaxValue, .. new ulong[WindowEncoding.ReferencedWords - 3]]));
        windows.Add(default);
        using var file = new MemoryStream();
        var header = LayerIndexWriter.Write(file, new LayerIndexContent
        {
            Compression = LayerCompression.Gzip,
            LayerDigest = Digest.OfSha256("a layer"u8),
            DiffId = null,
            Toc = builder.Build(),
            Spans = new SpanTable(
                [0, 12345, 23456, 34567], [0, 2000, 4000, 4500], [.. Enumerable.Range(0, 128).Select(i => (byte)i)], 5000, SmallTar.Length,
                [false, false, false, true]),
            Windows = windows,
        });
        File.WriteAllBytes(_folder["golden"], file.ToArray());
        using var index = LayerIndex.Open(_folder["golden"]);
        index.VerifyWindows();
        Assert.Equal((header.Id, null as Digest?, 23456 & 7), (index.Id, index.DiffId, index.Spans.BitOffset(new SpanId(2))));
        Assert.Equal((false, true), (index.Spans.IsContinued(new SpanId(2)), index.Spans.IsContinued(new SpanId(3))));
        var hex = Digest.OfSha256(file.ToArray()).Hex;
        Assert.True(hex == "817e227484f14c33fdcd5104c6caa41699f97e1583d154b6bd1ac523ea485f97", hex);
    }

    [Fact]
    public void A_file_from_the_future_and_ones_of_former_versions_are_named_as_such()
    {
        using var layer = SmallLayer();
        var file = File.ReadAllBytes(layer.Path);
        foreach (var version in (byte[])[1, 2, 4])
            Assert.Contains($"index, header: version {version} is unknown, this program reads version 3", Refusal(
                file, bytes => bytes[8] = version), StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_forged_with_right_checksums_name_what_is_wrong()
    {
        using var layer = SmallLayer();
        var file = File.ReadAllBytes(layer.Path);
        var header = LayerIndexHeader.Parse(file, file.Length);
        // overlap
        AssertForged("the sections do not fill the file", header with { Spans = header.Spans with { Offset = header.Toc.Offset } });
        // backwards
        AssertForged("the sections do not fill the file", header with { Toc = header.Toc with { Offset = header.Toc.Offset - 1 } });
        // leaves the file
        AssertForged("the sections do not fill the file", header with { WindowsStart = file.Length + 1, WindowsLength = -1 });
        AssertForged("the sections do not fill the file", header with { WindowsLength = header.WindowsLength + 1 });
        AssertForged("a front of", header with { WindowsStart = long.MaxValue });
        AssertForged("the TOC section claims", header with { Toc = header.Toc with { Length = header.Toc.StoredLength * 1033 } });
        AssertForged("the TOC section claims", header with { Toc = header.Toc with { StoredLength = -1 } });
        AssertForged("the span section claims", header with { Spans = header.Spans with { Length = long.MaxValue } });
        AssertForged("index, TOC section: unpacks to", header with { Toc = header.Toc with { Length = header.Toc.Length - 1 } });
        AssertForged("index, span section: unpacks to", header with { Spans = header.Spans with { Length = header.Spans.Length + 1 } });
        AssertForged("cut short at", header with { FileLength = header.FileLength + 1 });
        AssertForged("a layer of -1 bytes", header with { CompressedLength = -1 });
        AssertForged("a tar of", header with { UncompressedLength = long.MaxValue });
        AssertForged("compression 7 is unknown", header with { Compression = (LayerCompression)7 });
        AssertForged("footer: its layer", header with { LayerDigest = Digest.OfSha256("other"u8) }, keepFooter: true);
        AssertForged("footer: its lengths", header with { CompressedLength = header.CompressedLength + 1 }, keepFooter: true);

        void AssertForged(string reason, LayerIndexHeader forged, bool keepFooter = false)
        {
            var footer = keepFooter
                ? file.AsSpan(file.Length - LayerIndexFooter.Length).ToArray()
                : LayerIndexFooter.ToBytes(forged, new byte[32]);
            File.WriteAllBytes(_folder["forged"], [.. forged.ToBytes(), .. file.AsSpan(
                LayerIndexHeader.Length, file.Length - LayerIndexHeader.Length - footer.Length), .. footer]);
            Assert.Contains(
                reason, Assert.Throws<InvalidDataException>(() => LayerIndex.Open(_folder["forged"])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Span_sections_forged_with_right_checksums_name_what_is_wrong()
    {
        using var layer = SmallLayer();
        var file = File.ReadAllBytes(layer.Path);
        var header = LayerIndexHeader.Parse(file, file.Length);
        AssertForged("no spans", 0, 0);
        AssertForged("span count is", 100, 0, 1);
        AssertForged("span 1 does not start after span 0", 2, 0, 0, 50, 1, 1);
        AssertForged("span 1 does not start after span 0", 2, 0, 50, 0, 1, 1);
        AssertForged("nothing that the first span could go on from", 2, 0, 50, 50, 0, 1);
        AssertForged("span start is", 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 50, 1, 1);
        AssertForged("span offset is", 2, 0, 50, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1, 1);
        AssertForged("window length is", 2, 0, 50, 50, 1, 0xFF, 0xFF, 0x7F);
        AssertForged("windows of 5 bytes in", 2, 0, 50, 50, 1, 6);
        AssertForgedSection("span digests of 32 bytes", [1, 0, 1, .. new byte[31]], addDigests: false);
        AssertForgedSection("bytes are left over", [1, 0, 1, .. new byte[33]], addDigests: false);

        void AssertForged(string reason, params byte[] columns) => AssertForgedSection(reason, columns, addDigests: true);

        void AssertForgedSection(string reason, byte[] columns, bool addDigests)
        {
            // What the digests and window checksums of so many spans would be.
            byte[] section = addDigests ? [.. columns, .. new byte[2 * 32 + (columns[^1] == 6 ? 16 : 0)]] : columns;
            var stored = DeflateEncoder.Encode(section);
            var toc = file.AsSpan(LayerIndexHeader.Length, (int)header.Toc.StoredLength).ToArray();
            var windows = file.AsSpan((int)header.WindowsStart, (int)header.WindowsLength).ToArray();
            var start = header.Spans.Offset + stored.Length;
            var forged = header with
            {
                Spans = new LayerIndexSection(header.Spans.Offset, stored.Length, section.Length, SHA256.HashData(stored)),
                WindowsStart = start,
                FileLength = start + windows.Length + LayerIndexFooter.Length,
            };
            File.WriteAllBytes(
                _folder["forged"], [.. forged.ToBytes(), .. toc, .. stored, .. windows, .. LayerIndexFooter.ToBytes(forged, new byte[32])]);
            var message = Assert.Throws<InvalidDataException>(() => LayerIndex.Open(_folder["forged"])).Message;
            Assert.Contains(reason, message, StringComparison.Ordinal);
            Assert.Contains("span", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Sections_forged_with_right_checksums_are_refused_or_make_sense()
    {
        using var layer = SmallLayer();
        var file = File.ReadAllBytes(layer.Path);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var accepted = 0;
        for (var round = 0; round < 4000; round++)
        {
            File.WriteAllBytes(_folder["forged"], Forge(file, random));
            try
            {
                using var index = LayerIndex.Open(_folder["forged"]);
                Walk(index);
                accepted++;
            }
            catch (InvalidDataException)
            {
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}, round {round}: {exception}");
            }
        }

        Assert.InRange(accepted, 1, 3999);
    }

    [Fact]
    public async Task A_blob_with_another_digest_leaves_no_index()
    {
        var blob = TestGzip.Member(new TestTar().Add("a").End());
        var expected = Digest.OfSha256("something else"u8);
        var message = (await Assert.ThrowsAsync<InvalidDataException>(() =>
            LayerIndexBuilder.BuildAsync(new MemoryStream(
                blob), _folder["index"], new LayerIndexOptions { ExpectedDigest = expected }, CancellationToken.None))).Message;
        Assert.Contains($"{expected}", message, StringComparison.Ordinal);
        Assert.Contains($"{Digest.OfSha256(blob)}", message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_cancelled_build_leaves_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        var blob = new MemoryStream(TestGzip.Member(new TestTar().Add("a").End()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            LayerIndexBuilder.BuildAsync(blob, _folder["index"], new LayerIndexOptions(), cancellation.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private static BuiltLayer SmallLayer() => BuiltLayer.Of(
        TestGzip.Frame(SmallTar, TestGzip.Flushed(SmallTar, 700)), spanLength: 1000);

    private static readonly byte[] SmallTar = new TestTar()
        .Pax(("SCHILY.xattr.user.a", "b")).Directory("dir")
            .Add("dir/file", data: new string('x', 3000)).Add("dir/link", '2', link: "file").Add("hard", '1', link: "dir/file")
        .Pax(("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.map", "5,3,100,2"), ("GNU.sparse.size", "1000"))
            .Add("sparse", data: "abcde").End();

    private string Refusal(byte[] file, Action<byte[]> damage)
    {
        var damaged = (byte[])file.Clone();
        damage(damaged);
        File.WriteAllBytes(_folder["damaged"], damaged);
        return Assert.Throws<InvalidDataException>(() => LayerIndex.Open(_folder["damaged"])).Message;
    }

    /// <summary>Changes numbers inside a section, or of the header, and computes all checksums anew.</summary>
    private static byte[] Forge(byte[] file, Random random)
    {
        var header = LayerIndexHeader.Parse(file, file.Length);
        var toc = Unpack(file, header.Toc);
        var spans = Unpack(file, header.Spans);
        var target = random.Next(3) == 0 ? spans : toc;
        for (var i = random.Next(1, 4); i > 0; i--)
            target[random.Next(target.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : random.Next(4));

        var tocStored = Pack(toc);
        var spansStored = Pack(spans);
        var windows = file.AsSpan((int)header.WindowsStart, (int)header.WindowsLength).ToArray();
        var spansOffset = LayerIndexHeader.Length + tocStored.Length;
        header = header with
        {
            Toc = new LayerIndexSection(LayerIndexHeader.Length, tocStored.Length, toc.Length, SHA256.HashData(tocStored)),
            Spans = new LayerIndexSection(spansOffset, spansStored.Length, spans.Length, SHA256.HashData(spansStored)),
            WindowsStart = spansOffset + spansStored.Length,
            FileLength = spansOffset + spansStored.Length + windows.Length + LayerIndexFooter.Length,
            UncompressedLength = random.Next(20) == 0 ? random.Next() : header.UncompressedLength,
        };
        byte[] content = [.. header.ToBytes(), .. tocStored, .. spansStored, .. windows];
        return [.. content, .. LayerIndexFooter.ToBytes(header, SHA256.HashData(content))];
    }

    /// <summary>Touches all there is, as a filesystem would.</summary>
    private static void Walk(LayerIndex index)
    {
        var toc = index.Toc;
        for (var entry = 0; entry < toc.Count; entry++)
        {
            _ = toc[entry];
            _ = toc.PathOf(entry);
            _ = toc.LinkTarget(entry).Length + toc.Xattrs(entry).Count;
            foreach (var extent in toc.Extents(entry))
                _ = index.Spans[index.Spans.Find(extent.UncompressedOffset + extent.Length - 1)];
            for (var i = 0; i < toc.ChildCount(entry); i++)
                Assert.True(toc.TryFind(entry, toc.ChildName(entry, i), out var found) && found == toc.ChildEntry(entry, i));
        }

        var decoder = new SpanDecoder(index);
        for (var i = 0; i < index.Spans.Count; i++)
        {
            var span = index.Spans[new SpanId(i)];
            Assert.Equal(32, index.Spans.DigestOf(span.Id).Length);
            try
            {
                decoder.Decode(span.Id, new byte[Math.Min(span.CompressedLength, 1000)], new byte[Math.Min(span.UncompressedLength, 1000)]);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    private static void LargestDevice(byte[] header)
    {
        TestTar.Put(header, 329, TestTar.Octal(4095, 7));
        TestTar.Put(header, 337, TestTar.Octal(1048575, 7));
    }

    private static byte[] Unpack(byte[] file, LayerIndexSection section)
    {
        using var deflate = new System.IO.Compression.DeflateStream(
            new MemoryStream(file, (int)section.Offset, (int)section.StoredLength), System.IO.Compression.CompressionMode.Decompress);
        var bytes = new byte[section.Length];
        deflate.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] Pack(byte[] bytes)
    {
        using var stored = new MemoryStream();
        using (var deflate = new System.IO.Compression.DeflateStream(
            stored, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            deflate.Write(bytes);
        return stored.ToArray();
    }

    private sealed class Recorder : IProgress<long>
    {
        public long Last { get; private set; }

        public void Report(long value) => Last = value;
    }
}
