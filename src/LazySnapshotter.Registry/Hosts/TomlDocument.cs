using System.Text;
using LazySnapshotter.Registry.Common;
using Tomlyn;
using Tomlyn.Parsing;

namespace LazySnapshotter.Registry.Hosts;

// A TOML document as a tree that knows its places. Tomlyn's own model has none for what stands in an array, so the tree is made
// from its parser's events.
internal static class TomlDocument
{
    private static readonly UTF8Encoding _strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly TomlSerializerOptions _options = new() { MaxDepth = RegistryLimits.TomlDepthMax };

    /// <exception cref="HostsFileException">It is not TOML, or too much of it.</exception>
    public static TomlNode Read(ReadOnlySpan<byte> content)
    {
        if (content.Length > RegistryLimits.TomlBytesMax)
            throw new HostsFileException(1, 1, $"the text is longer than {RegistryLimits.TomlBytesMax} bytes");
        var text = Decode(content);
        try
        {
            var parser = TomlParser.Create(text, _options);
            while (parser.MoveNext() && parser.Current.Kind != TomlParseEventKind.StartTable)
            {
            }

            var root = new TomlNode(ReadTable(parser, new TomlTable()), 1, 1);
            // The parser of events limits the depth, that of the syntax tree sees what is defined twice.
            SyntaxParser.ParseStrict(text, _options);
            return root;
        }
        catch (TomlException e)
        {
            throw new HostsFileException(e.Line ?? 1, e.Column ?? 1, CauseOf(e));
        }
        catch (ArgumentOutOfRangeException)
        {
            // Tomlyn 2.10.2 where a text ends behind a backslash: it looks for the character's number to complain about it.
            throw new HostsFileException(text.AsSpan().Count('\n') + 1, text.Length - text.LastIndexOf('\n'), "the text ends in an escape");
        }
    }

    private static string Decode(ReadOnlySpan<byte> content)
    {
        try
        {
            return _strictUtf8.GetString(content).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            var before = content[..Math.Clamp(e.Index, 0, content.Length)];
            throw new HostsFileException(before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'), "this is not UTF-8");
        }
    }

    // Without what a key that is there twice was set to: it may be a secret.
    private static string CauseOf(TomlException e)
    {
        var message = e.Diagnostics.FirstOrDefault()?.Message ?? e.Message;
        return message.Split(" with `")[0].Trim();
    }

    private static TomlTable ReadTable(TomlParser parser, TomlTable table)
    {
        while (parser.MoveNext() && parser.Current.Kind != TomlParseEventKind.EndTable)
        {
            var (key, line, column) = (parser.GetPropertyName(), parser.Current.Line, parser.Current.Column);
            parser.MoveNext();
            // A table may come in parts: [a.b], and [a] later.
            var node = table.GetValueOrDefault(key) ?? new TomlNode(null, line, column, key, line, column);
            table[key] = ReadValue(parser, node);
        }

        return table;
    }

    private static TomlArray ReadArray(TomlParser parser, TomlArray array, TomlNode node)
    {
        while (parser.MoveNext() && parser.Current.Kind != TomlParseEventKind.EndArray)
            array.Add(ReadValue(parser, node with { Value = null, Key = "" }));
        return array;
    }

    // Tables and arrays of [headers] have no place of their own; theirs is their key's.
    private static TomlNode ReadValue(TomlParser parser, TomlNode node)
    {
        var start = parser.Current;
        if (start.Line > 0)
            node = node with { Line = start.Line, Column = start.Column };
        return node with
        {
            Value = start.Kind switch
            {
                TomlParseEventKind.StartTable => ReadTable(parser, node.Value as TomlTable ?? new TomlTable()),
                TomlParseEventKind.StartArray => ReadArray(parser, node.Value as TomlArray ?? [], node),
                TomlParseEventKind.String => parser.GetString(),
                TomlParseEventKind.Boolean => start.GetBoolean(),
                var other => other,
            },
        };
    }
}
