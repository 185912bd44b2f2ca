using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LazySnapshotter.Node.Options;

// Reads a configuration beside the deserializer, whose own refusals speak of .NET's types and know no limits: every key must be
// known and given once, every value of the kind and within the limits of its property. What is refused is named by file, line,
// column, key and value.
internal sealed class ConfigurationText
{
    private const int LengthMax = 1 << 20;

    private static readonly JsonReaderOptions _reading = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string _path;
    private readonly byte[] _bytes;

    private ConfigurationText(string path, byte[] bytes)
    {
        _path = path;
        _bytes = bytes;
    }

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <exception cref="InvalidDataException">It is no text.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ConfigurationText Read(string path)
    {
        // Also of a pipe (--config <(…)), which has no length.
        using var file = File.OpenRead(path);
        var bytes = new byte[LengthMax + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > LengthMax)
            throw new InvalidDataException($"{path}: longer than a configuration may be, {LengthMax} bytes");
        var text = bytes.AsSpan(0, length);
        if (text.StartsWith(Encoding.UTF8.Preamble))
            text = text[Encoding.UTF8.Preamble.Length..];
        try
        {
            if (_strict.GetString(text).AsSpan().Trim().IsEmpty)
                throw new InvalidDataException($"{path}: there is nothing in it; a configuration without any key is {{}}");
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{path}: byte {e.Index + length - text.Length}: not UTF-8 text", e);
        }

        return new ConfigurationText(path, text.ToArray());
    }

    /// <param name="type">What the text is to become.</param>
    /// <exception cref="InvalidDataException">It cannot become that.</exception>
    public void Check(JsonTypeInfo type)
    {
        var reader = new Utf8JsonReader(_bytes, _reading);
        try
        {
            reader.Read();
            CheckObject(ref reader, type, "");
            reader.Read();
        }
        catch (JsonException e)
        {
            var what = e.Message.AsSpan(0, Math.Max(0, e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal)));
            var place = $"{e.LineNumber + 1}:{e.BytePositionInLine + 1}";
            throw new InvalidDataException($"{_path}:{place}: {(what.IsEmpty ? e.Message : what)}", e);
        }
    }

    private void CheckObject(ref Utf8JsonReader reader, JsonTypeInfo type, string key)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Refusal(
                reader, key.Length == 0 ? "a configuration is an object, { … }" : $"{key}: {Shown(reader)} is not an object, {{ … }}");
        }

        var given = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = TextOf(reader, key.Length == 0 ? "a key" : $"a key of {key}");
            var full = key.Length == 0 ? name : $"{key}.{name}";
            var property = type.Properties.FirstOrDefault(property => property.Name == name)
                ?? throw Refusal(
                    reader, $"{full}: unknown key; known here are {string.Join(", ", type.Properties.Select(known => known.Name))}");
            if (!given.Add(name))
                throw Refusal(reader, $"{full}: given twice");
            reader.Read();
            CheckValue(ref reader, type, property, full);
        }
    }

    private void CheckValue(ref Utf8JsonReader reader, JsonTypeInfo type, JsonPropertyInfo property, string key)
    {
        if (reader.TokenType == JsonTokenType.Null && property.IsSetNullable)
            return;
        if (property.PropertyType == typeof(string))
            CheckString(reader, key);
        else if (property.PropertyType == typeof(IReadOnlyList<string>))
            CheckList(ref reader, key);
        else if (property.PropertyType == typeof(bool))
            CheckBool(reader, key);
        else if (property.PropertyType == typeof(int) || property.PropertyType == typeof(double))
            CheckNumber(reader, property, key);
        else
            CheckObject(ref reader, type.Options.GetTypeInfo(property.PropertyType), key);
    }

    private void CheckString(in Utf8JsonReader reader, string key)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw Refusal(reader, $"{key}: {Shown(reader)} is not a string in quotation marks");
        if (TextOf(reader, key).Contains('\0'))
            throw Refusal(reader, $"{key}: {Shown(reader)} has a zero character");
    }

    private void CheckList(ref Utf8JsonReader reader, string key)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Refusal(reader, $"{key}: {Shown(reader)} is not a list of strings, [\"…\"]");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            CheckString(reader, key);
    }

    private void CheckBool(in Utf8JsonReader reader, string key)
    {
        if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False))
            throw Refusal(reader, $"{key}: {Shown(reader)} is neither true nor false");
    }

    private void CheckNumber(in Utf8JsonReader reader, JsonPropertyInfo property, string key)
    {
        var limits = property.AttributeProvider?.GetCustomAttributes(typeof(LimitsAttribute), inherit: false) is [LimitsAttribute found]
            ? found
            : throw new InvalidOperationException($"{key} has no limits");
        var isWhole = property.PropertyType == typeof(int);
        var fits = reader.TokenType == JsonTokenType.Number
            && (isWhole
                ? reader.TryGetInt32(out var whole) && limits.Has(whole)
                : reader.TryGetDouble(out var number) && limits.Has(number));
        if (!fits)
            throw Refusal(reader, $"{key}: {Shown(reader)} is not a {(isWhole ? "whole number" : "number")} {limits}");
    }

    // JSON can say half a character, and .NET's reader sees it only when it is asked for the text.
    private string TextOf(in Utf8JsonReader reader, string key)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Refusal(reader, $"{key}: {Shown(reader)} has half a character, \\ud800 to \\udfff without its other half");
        }
    }

    private static string Shown(in Utf8JsonReader reader)
    {
        const int lengthMax = 40;
        var text = reader.TokenType switch
        {
            JsonTokenType.StartObject => "{ … }",
            JsonTokenType.StartArray => "[ … ]",
            JsonTokenType.String => $"\"{Encoding.UTF8.GetString(reader.ValueSpan)}\"",
            _ => Encoding.UTF8.GetString(reader.ValueSpan),
        };
        return text.Length <= lengthMax ? text : text[..lengthMax] + "…";
    }

    private InvalidDataException Refusal(in Utf8JsonReader reader, string what)
    {
        var before = _bytes.AsSpan(0, (int)reader.TokenStartIndex);
        return new InvalidDataException($"{_path}:{before.Count((byte)'\n') + 1}:{before.Length - before.LastIndexOf((byte)'\n')}: {what}");
    }
}
