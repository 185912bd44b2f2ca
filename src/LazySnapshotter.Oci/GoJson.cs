using System.Buffers;
using System.Globalization;
using System.Text;

namespace LazySnapshotter.Oci;

// JSON the way Go's encoding/json writes it, to the byte: no white space; <, > and & escaped because Go's output may go
// into HTML; U+2028 and U+2029 escaped because JavaScript once took them for line ends; everything else beyond ASCII as it
// is. (\b and \f are short since Go 1.22.) System.Text.Json escapes other characters, and in capitals, so its output would have
// another digest.
internal sealed class GoJson
{
    private readonly ArrayBufferWriter<byte> _output = new();
    private bool _needsComma;

    public byte[] ToArray() => _output.WrittenSpan.ToArray();

    public void BeginObject() => Open((byte)'{');

    public void EndObject() => Close((byte)'}');

    public void BeginArray() => Open((byte)'[');

    public void EndArray() => Close((byte)']');

    public void Name(string name)
    {
        Text(name);
        Raw(":"u8);
        _needsComma = false;
    }

    public void Number(long value)
    {
        Separate();
        Raw(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
    }

    public void Text(string value)
    {
        Separate();
        Raw("\""u8);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in value.EnumerateRunes()) // Unpaired surrogates come as U+FFFD.
        {
            if (Escape(rune) is { } escaped)
                Raw(Encoding.ASCII.GetBytes(escaped));
            else
                Raw(utf8[..rune.EncodeToUtf8(utf8)]);
        }

        Raw("\""u8);
    }

    private static string? Escape(Rune rune) => rune.Value switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\f' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        < ' ' or '<' or '>' or '&' or 0x2028 or 0x2029 => string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
        _ => null,
    };

    private void Open(byte bracket)
    {
        Separate();
        Raw([bracket]);
        _needsComma = false;
    }

    private void Close(byte bracket)
    {
        Raw([bracket]);
        _needsComma = true;
    }

    private void Separate()
    {
        if (_needsComma)
            Raw(","u8);
        _needsComma = true;
    }

    private void Raw(ReadOnlySpan<byte> bytes) => _output.Write(bytes);
}
