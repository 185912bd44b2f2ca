using LazySnapshotter.Layers.Tar;
using LazySnapshotter.Layers.Tests.Index;
using LazySnapshotter.Layers.Toc;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.Layers.Tests.Tar;

// Tars that are damaged, foreign or made to hurt: each is refused with a message that says where and why.
public sealed class BadTarTests
{
    [Fact]
    public void A_tar_cut_anywhere_but_between_entries_is_refused()
    {
        var tar = new TestTar().Directory("dir").Pax(("path", "dir/file")).Add("file", data: new string('x', 700)).Add("last").End();
        int[] whole = [512, 512 * 6, 512 * 7, 512 * 8, 512 * 9]; // behind: directory, file, last, one zero block, both
        for (var length = 512; length <= tar.Length; length++)
        {
            var cut = tar[..length];
            if (whole.Contains(length))
                BuiltLayer.Of(cut).Dispose();
            else
                Assert.Contains("cut short", BuiltLayer.RefusalOf(cut), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Foreign_data_is_refused_with_its_offset()
    {
        var tar = new TestTar().Add("file", data: "x");
        Assert.Contains(
            "tar, uncompressed offset 1024: not a tar header", BuiltLayer.RefusalOf(tar.Data("garbage").End()), StringComparison.Ordinal);
        Assert.Contains("neither gzip nor tar: it starts with 7f454c46", BuiltLayer.RefusalOf(
            [0x7F, .. "ELF"u8, .. new byte[1000]]), StringComparison.Ordinal);
        Assert.Contains("neither gzip nor tar", BuiltLayer.RefusalOf("short"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("empty", BuiltLayer.RefusalOf([]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_zero_block_with_a_header_behind_it_is_refused() =>
        Assert.Contains("zero block", Refusal(tar => tar.Add("a").Raw(new byte[512]).Add("b")), StringComparison.Ordinal);

    [Fact]
    public void Every_single_bit_flip_in_a_header_is_refused_or_harmless()
    {
        var tar = new TestTar().Pax(("SCHILY.xattr.user.a", "b"), ("mtime", "5.5")).Add("file", data: "content", link: "").End();
        for (var bit = 0; bit < 512 * 8 * 4; bit++)
        {
            var damaged = (byte[])tar.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                var toc = Parse(damaged);
                Assert.True(toc.Count <= 3);
            }
            catch (InvalidDataException exception)
            {
                Assert.Contains("tar, uncompressed offset", exception.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("4 a=\n")] // a wrong length
    [InlineData("6 a=bc")]
    [InlineData("x a=b\n")]
    [InlineData("99999999999999999999 a=b\n")]
    [InlineData("6 =bc\n")]
    [InlineData("6 abc\n")]
    [InlineData("6 a=b")]
    [InlineData("100 a=b\n")]
    [InlineData("-6 a=b\n")]
    [InlineData("9 size=x\n")]
    [InlineData("10 size=-1\n")]
    [InlineData("11 mtime=x\n")]
    [InlineData("11 atime=x\n")] // for nobody, but Go reads it
    [InlineData("13 ctime=1.x\n")]
    [InlineData("12 path=a\0b\n")]
    [InlineData("19 SCHILY.xattr.=b\n")]
    [InlineData("23 GNU.sparse.offset=1\n")]
    [InlineData("25 GNU.sparse.numbytes=1\n")]
    public void Malformed_pax_records_are_refused(string records) =>
        Assert.Contains("tar, uncompressed offset", Refusal(tar => tar.Add("x", 'x', records).Add("file")), StringComparison.Ordinal);

    [Theory]
    [InlineData("0,10", "5", "5")] // piece behind the end
    [InlineData("4,2,0,2", "4", "10")] // falling
    [InlineData("0,4,2,4", "8", "10")] // overlapping
    [InlineData("0,4", "3", "10")] // more than is stored
    [InlineData("0,4", "5", "10")] // less than is stored
    [InlineData("9223372036854775807,1", "1", "10")]
    [InlineData("0,-1", "1", "10")]
    [InlineData("0", "1", "10")]
    [InlineData("a,b", "1", "10")]
    [InlineData("0,1", "1", "99999999999999999")] // no file is that long
    public void Malformed_sparse_maps_are_refused(string map, string stored, string size) =>
        Refusal(tar => tar
            .Pax(("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.map", map), ("GNU.sparse.size", size))
            .Add("file", size: long.Parse(stored, System.Globalization.CultureInfo.InvariantCulture)).Data("12345678"));

    [Theory]
    [InlineData("99999999\n")]
    [InlineData("1\n0\n")]
    [InlineData("1\n\n0\n")]
    [InlineData("x\n")]
    [InlineData("1000000000000000000000\n")]
    public void Malformed_sparse_maps_in_the_data_are_refused(string map) =>
        Refusal(tar => tar.Pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "10")).Add("file", data: map));

    [Fact]
    public void A_pax_header_or_name_larger_than_the_limit_is_refused_before_it_is_read()
    {
        foreach (var type in "xgLK")
            Assert.Contains(
                "1048577 bytes", Refusal(tar => tar.Add("x", type, size: TarLimits.MetadataLengthMax + 1)), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_and_paths_longer_than_linux_allows_are_refused()
    {
        var longest = new string('n', TarLimits.NameLengthMax);
        // 15 * 256 + 254 = 4094, and the leading slash
        var path = string.Join('/', Enumerable.Repeat(longest, 15)) + "/" + new string('n', 254);
        using (var layer = BuiltLayer.Of(new TestTar().Pax(("path", path)).Add("x").End()))
            Assert.Equal(TestTar.Bytes(path), layer.Toc.PathOf(layer.Entry(path)));
        Assert.Contains("path longer than 4095", Refusal(tar => tar.Pax(("path", path + "n")).Add("x")), StringComparison.Ordinal);
        Assert.Contains("name of 256 bytes", Refusal(tar => tar.Pax(("path", longest + "n")).Add("x")), StringComparison.Ordinal);
        Assert.Contains("4096 bytes", Refusal(tar => tar.Pax(("linkpath", new string('t', 4096))).Add("x", '2')), StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_through_a_symbolic_link_does_not_go_deeper_than_a_path_can()
    {
        var deep = string.Join('/', Enumerable.Repeat("d", 2000));
        var message = Refusal(tar => tar
            .Pax(("path", deep)).Directory("x")
            .Pax(("linkpath", deep)).Add("s", '2')
            .Add("s/" + string.Join('/', Enumerable.Repeat("e", 47))).Add("s/" + string.Join('/', Enumerable.Repeat("f", 49))));
        Assert.Contains("path longer than 4095", message, StringComparison.Ordinal);
        Assert.Contains("entry \"s/f", message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_entries_than_the_limit_are_refused()
    {
        var builder = new TocBuilder();
        var entry = new TarEntry { Type = TarEntryType.Directory, Name = "d"u8.ToArray(), LinkName = [] };
        for (var i = 0; i < TarLimits.EntryCountMax; i++)
            builder.Add(entry);
        Assert.Contains(
            "more than 4000000 entries", Assert.Throws<InvalidDataException>(() => builder.Add(entry)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_pieces_of_sparse_files_than_the_limit_are_refused()
    {
        var builder = new TocBuilder();
        var pieces = Enumerable.Range(0, TarLimits.SparseExtentCountMax).Select(i => new SparseExtent(i * 2, 1)).ToArray();
        var entry = new TarEntry { Type = TarEntryType.File, Name = "f"u8.ToArray(), LinkName = [], Size = 1 << 22, Sparse = pieces };
        for (var i = 0; i < TarLimits.SparseExtentTotalMax / TarLimits.SparseExtentCountMax; i++)
            builder.Add(entry);
        Assert.Contains(
            "pieces of sparse files", Assert.Throws<InvalidDataException>(() => builder.Add(entry)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Xattrs_larger_or_more_than_linux_takes_are_refused()
    {
        Assert.Contains(
            "65537 bytes", Refusal(tar => tar.Pax(("SCHILY.xattr.user.a", new string('x', 65537))).Add("x")), StringComparison.Ordinal);
        Assert.Contains(
            "xattr name of 256", Refusal(tar => tar.Pax(("SCHILY.xattr." + new string('n', 256), "x")).Add("x")), StringComparison.Ordinal);
        var many = Enumerable.Range(0, 257).Select(i => ($"SCHILY.xattr.user.{i}", "x")).ToArray();
        Assert.Contains("more than 256 xattrs", Refusal(tar => tar.Pax(many).Add("x")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7")] // contiguous
    [InlineData("S")] // sparse, as GNU wrote it before pax
    [InlineData("V")]
    [InlineData("D")]
    [InlineData("M")]
    [InlineData("X")]
    [InlineData("\x80")]
    public void Entry_types_that_containerd_does_not_unpack_are_refused(string type) =>
        Assert.Contains("is none that containerd unpacks", Refusal(tar => tar.Add("x", type[0])), StringComparison.Ordinal);

    [Fact]
    public void Numbers_out_of_range_are_refused()
    {
        Refusal(tar => tar.Add("x", tweak: header => TestTar.Put(header, 100, "64x4")));
        Refusal(tar => tar.Add("x", tweak: header => TestTar.Put(header, 124, "-1")));
        Refusal(tar => tar.Add("x", tweak: header => TestTar.Put(header, 124, [.. Enumerable.Repeat((byte)0xFF, 12)])));
        Refusal(tar => tar.Add("x", tweak: header => TestTar.Put(header, 108, [.. Enumerable.Repeat((byte)0xFF, 8)])));
        Refusal(tar => tar.Pax(("gid", "4294967296")).Add("x"));
        Refusal(tar => tar.Pax(("size", "17592186044417")).Add("x"));
        Refusal(tar => tar.Add("x", '3', tweak: header => TestTar.Put(header, 329, TestTar.Octal(4096, 7))));
        Refusal(tar => tar.Add("x", '4', tweak: header => TestTar.Put(header, 337, TestTar.Octal(1 << 20, 7))));
    }

    [Fact]
    public void Random_blocks_with_right_checksums_never_do_worse_than_refusal()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            var tar = new TestTar();
            for (var entry = 0; entry < 4; entry++)
            {
                tar.Add("name" + entry, "0123456789xgLKS\0\x37"[random.Next(17)], data: new string(
                    '1', random.Next(0, 600)), link: "name" + random.Next(5), tweak: header =>
                {
                    for (var i = random.Next(12); i > 0; i--)
                        header[random.Next(512)] = (byte)random.Next(256);
                });
            }

            try
            {
                Parse(tar.End());
            }
            catch (InvalidDataException)
            {
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}, round {round}: {exception}");
            }
        }
    }

    private static LayerToc Parse(byte[] tar)
    {
        var builder = new TocBuilder();
        var parser = new TarParser(builder);
        parser.Append(tar);
        parser.Complete();
        return builder.Build();
    }

    private static string Refusal(Action<TestTar> fill)
    {
        var tar = new TestTar();
        fill(tar);
        return Assert.Throws<InvalidDataException>(() => Parse(tar.End())).Message;
    }
}
