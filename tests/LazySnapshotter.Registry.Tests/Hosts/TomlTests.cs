using System.Text;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Hosts;

namespace LazySnapshotter.Registry.Tests.Hosts;

// The tree made of a TOML text, and where it is said that the text is wrong. Numbers and dates are not looked at ("?").
public sealed class TomlTests
{
    [Theory]
    [InlineData("", "{}")]
    [InlineData("# only a comment", "{}")]
    [InlineData("\uFEFFa = 1", "{a=?}")]
    [InlineData("a = 1\r\nb = 2\r\n", "{a=? b=?}")]
    [InlineData("a=true # yes\nb =false", "{a=true b=false}")]
    [InlineData(
        "bare_key-1 = 1\n1234 = 2\n\"quoted key\" = 3\n'literal.key' = 4\n\"\" = 5", "{bare_key-1=? 1234=? quoted key=? literal.key=? =?}")]
    [InlineData("a.b.c = 1\na.b.d = 2\na . \"e f\" = 3", "{a={b={c=? d=?} e f=?}}")]
    [InlineData("3.14 = 1", "{3={14=?}}")]
    [InlineData("[b]\nx = 1\n[a.c]\ny = 2\n[a]\nz = 3", "{b={x=?} a={c={y=?} z=?}}")]
    [InlineData("[ a . 'b' ]\nx = 1", "{a={b={x=?}}}")]
    [InlineData("[a]\nb.c = 1\n[a.d]\n[a.b.e]\nf = 2", "{a={b={c=? e={f=?}} d={}}}")]
    [InlineData("[[a]]\nx = 1\n[a.b]\ny = 2\n[[a]]\n[[a.c]]\nz = 3", "{a=[{x=? b={y=?}},{c=[{z=?}]}]}")]
    [InlineData("a = { b = 1, c.d = 'x', \"e\" = {} }", "{a={b=? c={d=x} e={}}}")]
    [InlineData("a = [ 1,\n  2, # two\n\n [ 'x', ] , { y = 1 }\n ]", "{a=[?,?,[x],{y=?}]}")]
    [InlineData("a = []", "{a=[]}")]
    [InlineData("a = \"\\b\\t\\n\\f\\r\\\"\\\\ \\u00e9 \\U0001F600\"", "{a=\b\t\n\f\r\"\\ é 😀}")]
    [InlineData("a = 'C:\\no\\escape \"here\"'", "{a=C:\\no\\escape \"here\"}")]
    [InlineData("a = \"\"\"\nfirst\nsecond\"\"\"", "{a=first\nsecond}")]
    [InlineData("a = \"\"\"one \\\n\n     two\\   \n three\"\"\"", "{a=one twothree}")]
    [InlineData("a = \"\"\"\"two\" quotes\"\"\"\"\"", "{a=\"two\" quotes\"\"}")]
    [InlineData("a = '''\nit''s \\ raw\n''''", "{a=it''s \\ raw\n'}")]
    [InlineData("a = \"tab\there\"", "{a=tab\there}")]
    public void Reads(string text, string expected) => Assert.Equal(expected, Show(TomlDocument.Read(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("a", 1)]
    [InlineData("a = ", 1)]
    [InlineData("a = \n", 1)]
    [InlineData("= 1", 1)]
    [InlineData("a. = 1", 1)]
    [InlineData("ключ = 1", 1)]
    [InlineData("a = 1 b = 2", 1)]
    [InlineData("a = yes", 1)]
    [InlineData("a = True", 1)]
    [InlineData("a = 01", 1)]
    [InlineData("a = 1__0", 1)]
    [InlineData("a = 1.", 1)]
    [InlineData("a = .5", 1)]
    [InlineData("a = 0x", 1)]
    [InlineData("a = +0x1", 1)]
    [InlineData("a = 9223372036854775808", 1)]
    [InlineData("a = 0xFFFFFFFFFFFFFFFFF", 1)]
    [InlineData("a = 1979-13-01", 1)]
    [InlineData("a = 25:00:00", 1)]
    [InlineData("x = 1\na = 'no end", 2)]
    [InlineData("a = \"one\ntwo\"", 1)]
    [InlineData("a = \"\"\"\none\ntwo\"\"", 3)]
    [InlineData("a = \"\\q\"", 1)]
    [InlineData("a = \"C:\\Users\"", 1)]
    [InlineData("a = \"\\ud800\"", 1)]
    [InlineData("a = \"\u0001\"", 1)]
    [InlineData("# \u007f", 1)]
    [InlineData("a = 1\rb = 2", 1)]
    [InlineData("a = 1\na = 2", 2)]
    [InlineData("[a]\n[a]", 2)]
    [InlineData("a = 1\n[a.b]", 2)]
    [InlineData("a = { b = 1 }\n[a.c]", 2)]
    [InlineData("a = { b.c = 1 }\n[a]", 2)]
    [InlineData("a = { b.c = 1 }\na.b.d = 2", 2)]
    [InlineData("a.b = 1\n[a]", 2)]
    [InlineData("[a.b]\nx = 1\n[a]\nb.y = 2", 4)]
    [InlineData("a = []\n[[a]]", 2)]
    [InlineData("[[a]]\n[a]", 2)]
    [InlineData("[a", 1)]
    [InlineData("[[a]", 1)]
    [InlineData("[]", 1)]
    [InlineData("[a] b = 1", 1)]
    [InlineData("a = [1 2]", 1)]
    [InlineData("a = [\n1,\n\n", 4)]
    [InlineData("a = [,]", 1)]
    [InlineData("a = { b = 1 b = 2 }", 1)]
    [InlineData("a = { b = 1, b = 2 }", 1)]
    [InlineData("\"\"\"a\"\"\" = 1", 1)]
    public void Says_where_it_cannot_read(string text, int line)
    {
        var error = Assert.Throws<HostsFileException>(() => TomlDocument.Read(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(line, error.Line);
        Assert.Matches("^line [0-9]+, column [0-9]+: [^\n]{10,}$", error.Message);
    }

    [Theory]
    [InlineData("[header]\nAuthorization = 'Basic c2VjcmV0'\nAuthorization = 'x'", "`header.Authorization` is already defined at (2,1)")]
    [InlineData("a = 1 b = 'c2VjcmV0'", "Expected end-of-line")]
    public void Error_repeats_no_value(string text, string cause)
    {
        var error = Assert.Throws<HostsFileException>(() => TomlDocument.Read(Encoding.UTF8.GetBytes(text)));
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_found()
    {
        var error = Assert.Throws<HostsFileException>(() => TomlDocument.Read([.. "a = 1\nb = 'é"u8, 0xC3, (byte)'\'']));
        Assert.Equal("line 2, column 8: this is not UTF-8", error.Message);
    }

    [Fact]
    public void What_is_too_large_or_too_deep_is_refused()
    {
        Assert.Contains("longer than", Refused(new string('#', RegistryLimits.TomlBytesMax + 1)), StringComparison.Ordinal);
        Assert.Contains("depth of 16", Refused("a = " + new string('[', 100_000)), StringComparison.Ordinal);
        Assert.Contains("depth of 16", Refused("a = " + string.Concat(Enumerable.Repeat("{a=", 20_000))), StringComparison.Ordinal);
        Assert.Contains("depth of 16", Refused(string.Join('.', Enumerable.Repeat("a", 20_000)) + " = 1"), StringComparison.Ordinal);

        Assert.Contains("depth of 16", Refused("[" + string.Join('.', Enumerable.Repeat("a", 20_000)) + "]"), StringComparison.Ordinal);

        static string Refused(string text) =>
            Assert.Throws<HostsFileException>(() => TomlDocument.Read(Encoding.UTF8.GetBytes(text))).Message;
    }

    [Fact]
    public void Whatever_is_cut_or_damaged_it_reads_or_says_why()
    {
        const string Text = "server = \"https://a\" # x\n[host.\"https://m/\\u0041\"]\nclient = [[\"a\", 'b'], [\"c\", \"\"]]\nx = { y.z " +
            "= 1.5e3, t = 1979-05-27 }\n[[q]]\ns = '''\nabc'''\nm = \"\"\"a\\\n  b\"\"\"\n";
        var whole = Encoding.UTF8.GetBytes(Text);
        const int Seed = 20250;
        var random = new Random(Seed);
        for (var round = 0; round < 5000; round++)
        {
            var bytes = whole[..random.Next(whole.Length + 1)];
            for (var damage = random.Next(4); damage > 0 && bytes.Length > 0; damage--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                Assert.NotNull(TomlDocument.Read(bytes));
            }
            catch (HostsFileException e)
            {
                Assert.True(e.Line >= 1 && e.Column >= 1, $"seed {Seed}, round {round}: {e.Message}");
            }
        }
    }

    private static string Show(TomlNode node) => node.Value switch
    {
        string s => s,
        bool b => b ? "true" : "false",
        TomlArray a => "[" + string.Join(',', a.Select(Show)) + "]",
        TomlTable t => "{" + string.Join(' ', t.Select(e => e.Key + "=" + Show(e.Value))) + "}",
        _ => "?",
    };
}
