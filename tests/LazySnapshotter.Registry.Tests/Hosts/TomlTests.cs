using System.Globalization;
using System.Text;
using LazySnapshotter.Registry.Hosts.Toml;

namespace LazySnapshotter.Registry.Tests.Hosts;

// The TOML reader against the specification (toml.io/en/v1.0.0): what it reads, and where it says that a text is wrong.
public sealed class TomlTests
{
    [Theory]
    [InlineData("", "{}")]
    [InlineData("# only a comment", "{}")]
    [InlineData("\uFEFFa = 1", "{a=1}")]
    [InlineData("a = 1\r\nb = 2\r\n", "{a=1 b=2}")]
    [InlineData("a=true # yes\nb =false", "{a=true b=false}")]
    [InlineData("bare_key-1 = 1\n1234 = 2\n\"quoted key\" = 3\n'literal.key' = 4\n\"\" = 5", "{bare_key-1=1 1234=2 quoted key=3 literal.key=4 =5}")]
    [InlineData("a.b.c = 1\na.b.d = 2\na . \"e f\" = 3", "{a={b={c=1 d=2} e f=3}}")]
    [InlineData("3.14 = 1", "{3={14=1}}")]
    [InlineData("[b]\nx = 1\n[a.c]\ny = 2\n[a]\nz = 3", "{b={x=1} a={c={y=2} z=3}}")]
    [InlineData("[ a . 'b' ]\nx = 1", "{a={b={x=1}}}")]
    [InlineData("[a]\nb.c = 1\n[a.d]\n[a.b.e]\nf = 2", "{a={b={c=1 e={f=2}} d={}}}")]
    [InlineData("[[a]]\nx = 1\n[a.b]\ny = 2\n[[a]]\n[[a.c]]\nz = 3", "{a=[{x=1 b={y=2}},{c=[{z=3}]}]}")]
    [InlineData("a = { b = 1, c.d = 'x', \"e\" = {} }", "{a={b=1 c={d=x} e={}}}")]
    [InlineData("a = [ 1,\n  2, # two\n\n [ 'x', ] , { y = 1 }\n ]", "{a=[1,2,[x],{y=1}]}")]
    [InlineData("a = []", "{a=[]}")]
    [InlineData("a = 0\nb = +99\nc = -17\nd = 1_000\ne = 0xDEAD_beef\nf = 0o755\ng = 0b1101\nh = -9223372036854775808", "{a=0 b=99 c=-17 d=1000 e=3735928559 f=493 g=13 h=-9223372036854775808}")]
    [InlineData("a = 3.5\nb = -0.01\nc = 5e+22\nd = 1e06\ne = 6.626e-34\nf = 9_224.5\ng = inf\nh = -inf\ni = nan", "{a=3.5 b=-0.01 c=5E+22 d=1000000 e=6.626E-34 f=9224.5 g=Infinity h=-Infinity i=NaN}")]
    [InlineData("a = 1979-05-27T07:32:00Z\nb = 1979-05-27 07:32:00.999-07:00\nc = 1979-05-27\nd = 07:32:00", "{a=1979-05-27T07:32:00Z b=1979-05-27 07:32:00.999-07:00 c=1979-05-27 d=07:32:00}")]
    [InlineData("a = \"\\b\\t\\n\\f\\r\\\"\\\\ \\u00e9 \\U0001F600\"", "{a=\b\t\n\f\r\"\\ é 😀}")]
    [InlineData("a = 'C:\\no\\escape \"here\"'", "{a=C:\\no\\escape \"here\"}")]
    [InlineData("a = \"\"\"\nfirst\nsecond\"\"\"", "{a=first\nsecond}")]
    [InlineData("a = \"\"\"one \\\n\n     two\\   \n three\"\"\"", "{a=one twothree}")]
    [InlineData("a = \"\"\"\"two\" quotes\"\"\"\"\"", "{a=\"two\" quotes\"\"}")]
    [InlineData("a = '''\nit''s \\ raw\n''''", "{a=it''s \\ raw\n'}")]
    [InlineData("a = \"tab\there\"", "{a=tab\there}")]
    [InlineData("a = \"a replacement \uFFFD is a character too\"", "{a=a replacement \uFFFD is a character too}")]
    public void Reads(string text, string expected) => Assert.Equal(expected, Show(TomlReader.Read(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("a", 1, 2, "'=' was expected after the key, not the end of the text")]
    [InlineData("a = ", 1, 5, "a value was expected, not the end of the text")]
    [InlineData("a = \n", 1, 5, "a value was expected, not the end of the line")]
    [InlineData("= 1", 1, 1, "a key was expected, not '='")]
    [InlineData("a. = 1", 1, 4, "a key was expected, not '='")]
    [InlineData("ключ = 1", 1, 1, "a key was expected")]
    [InlineData("a = 1 b = 2", 1, 7, "the line should end here, not go on with 'b'")]
    [InlineData("a = yes", 1, 5, "yes is no value")]
    [InlineData("a = True", 1, 5, "True is no value")]
    [InlineData("a = 01", 1, 5, "01 is no value")]
    [InlineData("a = 1__0", 1, 5, "1__0 is no value")]
    [InlineData("a = 1.", 1, 5, "1. is no value")]
    [InlineData("a = .5", 1, 5, ".5 is no value")]
    [InlineData("a = 0x", 1, 5, "0x is no value")]
    [InlineData("a = +0x1", 1, 5, "+0x1 is no value")]
    [InlineData("a = 9223372036854775808", 1, 5, "9223372036854775808 is no value")]
    [InlineData("a = 0xFFFFFFFFFFFFFFFFF", 1, 5, "is no value")]
    [InlineData("a = 1979-13-01", 1, 5, "1979-13-01 is no value")]
    [InlineData("a = 25:00:00", 1, 5, "25:00:00 is no value")]
    [InlineData("x = 1\na = 'no end", 2, 5, "the string that begins here does not end")]
    [InlineData("a = \"one\ntwo\"", 1, 5, "the string that begins here does not end on its line")]
    [InlineData("a = \"\"\"\none\ntwo\"\"", 1, 5, "the string that begins here does not end")]
    [InlineData("a = \"\\q\"", 1, 7, "'\\' followed by 'q' is no escape")]
    [InlineData("a = \"C:\\Users\"", 1, 9, "needs 8 hexadecimal digits")]
    [InlineData("a = \"\\ud800\"", 1, 7, "needs 4 hexadecimal digits that are a Unicode character")]
    [InlineData("a = \"\u0001\"", 1, 6, "the control character U+0001 in a string")]
    [InlineData("# \u007f", 1, 3, "the control character U+007F in a comment")]
    [InlineData("a = 1\rb = 2", 1, 6, "the line should end here")]
    [InlineData("a = 1\na = 2", 2, 1, "\"a\" is already there, an integer at line 1")]
    [InlineData("[a]\n[a]", 2, 2, "\"a\" is already there, a table at line 1")]
    [InlineData("a = 1\n[a.b]", 2, 2, "\"a\" is an integer that was complete at line 1")]
    [InlineData("a = { b = 1 }\n[a.c]", 2, 2, "\"a\" is a table that was complete at line 1")]
    [InlineData("a = { b.c = 1 }\n[a]", 2, 2, "\"a\" is already there")]
    [InlineData("a = { b.c = 1 }\na.b.d = 2", 2, 1, "\"a\" is already there")]
    [InlineData("a.b = 1\n[a]", 2, 2, "\"a\" is already there")]
    [InlineData("[a.b]\nx = 1\n[a]\nb.y = 2", 4, 1, "\"b\" is already there")]
    [InlineData("a = []\n[[a]]", 2, 3, "\"a\" is already there, an array at line 1")]
    [InlineData("[[a]]\n[a]", 2, 2, "\"a\" is already there")]
    [InlineData("[a", 1, 3, "']' was expected after the header")]
    [InlineData("[[a]", 1, 5, "']' was expected after the header")]
    [InlineData("[]", 1, 2, "a key was expected, not ']'")]
    [InlineData("[a] b = 1", 1, 5, "the line should end here")]
    [InlineData("a = [1 2]", 1, 8, "',' or ']' was expected in the array that begins at line 1, not '2'")]
    [InlineData("a = [\n1,\n\n", 4, 1, "a value was expected")]
    [InlineData("a = [,]", 1, 6, "a value was expected, not ','")]
    [InlineData("a = { b = 1, }", 1, 14, "a key was expected, not '}'")]
    [InlineData("a = { b = 1\n}", 1, 12, "',' or '}' was expected in the inline table, not the end of the line")]
    [InlineData("a = { b = 1 b = 2 }", 1, 13, "',' or '}' was expected in the inline table")]
    [InlineData("a = { b = 1, b = 2 }", 1, 14, "\"b\" is already there")]
    [InlineData("\"\"\"a\"\"\" = 1", 1, 3, "'=' was expected after the key")]
    public void Says_where_and_why_it_cannot_read(string text, int line, int column, string cause)
    {
        var error = Assert.Throws<TomlException>(() => TomlReader.Read(Encoding.UTF8.GetBytes(text)));
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.Equal((line, column), (error.Line, error.Column));
        Assert.StartsWith($"line {line}, column {column}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_found()
    {
        var error = Assert.Throws<TomlException>(() => TomlReader.Read([.. "a = 1\nb = 'é"u8, 0xC3, (byte)'\'']));
        Assert.Equal("line 2, column 7: byte 0xc3 is not UTF-8", error.Message);
    }

    [Fact]
    public void What_is_too_large_or_too_deep_is_refused()
    {
        Assert.Contains("longer than", Refused(new string('#', RegistryLimits.TomlBytesMax + 1)), StringComparison.Ordinal);
        Assert.Contains("inside each other more than 16 times", Refused("a = " + new string('[', 100_000)), StringComparison.Ordinal);
        Assert.Contains("inside each other more than 16 times", Refused("a = " + string.Concat(Enumerable.Repeat("{a=", 20_000))), StringComparison.Ordinal);
        Assert.Contains("a key of more than 16 parts", Refused(string.Join('.', Enumerable.Repeat("a", 20_000)) + " = 1"), StringComparison.Ordinal);

        static string Refused(string text) => Assert.Throws<TomlException>(() => TomlReader.Read(Encoding.UTF8.GetBytes(text))).Message;
    }

    [Fact]
    public void Whatever_is_cut_or_damaged_it_reads_or_says_why()
    {
        const string Text = "server = \"https://a\" # x\n[host.\"https://m/\\u0041\"]\nclient = [[\"a\", 'b'], [\"c\", \"\"]]\nx = { y.z = 1.5e3, t = 1979-05-27 }\n[[q]]\ns = '''\nabc'''\nm = \"\"\"a\\\n  b\"\"\"\n";
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
                Assert.NotNull(TomlReader.Read(bytes));
            }
            catch (TomlException e)
            {
                Assert.True(e.Line >= 1 && e.Column >= 1, $"seed {Seed}, round {round}: {e.Message}");
            }
        }
    }

    private static string Show(TomlValue value) => value switch
    {
        TomlString s => s.Value,
        TomlInteger i => i.Value.ToString(CultureInfo.InvariantCulture),
        TomlFloat f => f.Value.ToString(CultureInfo.InvariantCulture),
        TomlBoolean b => b.Value ? "true" : "false",
        TomlDateTime d => d.Text,
        TomlArray a => "[" + string.Join(',', a.Items.Select(Show)) + "]",
        TomlTable t => "{" + string.Join(' ', t.Entries.Select(e => e.Key + "=" + Show(e.Value))) + "}",
        _ => throw new ArgumentException(value.Kind),
    };
}
