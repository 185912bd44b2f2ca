using System.Text.RegularExpressions;
using LazySnapshotter.Snapshots.Model;
using static LazySnapshotter.Snapshots.Filters.SnapshotFilter;

namespace LazySnapshotter.Snapshots.Filters;

//  selectors := selector ("," selector)*
//  selector  := fieldpath [operator value]
//  fieldpath := field ("." field)*
//  field     := quoted | [A-Za-z0-9_]+
//  operator  := "==" | "!=" | "~="
//  value     := quoted | anything without comma and white space
internal sealed class FilterParser(string input)
{
    private readonly FilterScanner _scanner = new(input);

    public List<Selector> Parse()
    {
        var selectors = new List<Selector> { ParseSelector() };
        while (!_scanner.AtEnd)
        {
            if (_scanner.Peek() != ',')
                throw Error(_scanner.Position, $"unexpected input: {_scanner.Peek()}");
            _scanner.Scan();
            selectors.Add(ParseSelector());
        }

        return selectors;
    }

    private Selector ParseSelector()
    {
        var path = new List<string> { ParseField() };
        while (_scanner.Peek() == '.')
        {
            _scanner.Scan();
            path.Add(ParseField());
        }

        if (_scanner.AtEnd || _scanner.Peek() == ',')
            return new Selector(path, SelectorOperator.Present, "", null);

        var selectorOperator = ParseOperator();
        var token = _scanner.Scan();
        var value = token.Kind switch
        {
            FilterTokenKind.Value => token.Text,
            FilterTokenKind.Quoted => Unquote(token, alternativeQuotes: selectorOperator == SelectorOperator.Matches),
            _ => throw Error(token.Position, "expected value or quoted"),
        };
        return new Selector(path, selectorOperator, value, selectorOperator == SelectorOperator.Matches ? Pattern(token, value) : null);
    }

    private string ParseField()
    {
        var token = _scanner.Scan();
        return token.Kind switch
        {
            FilterTokenKind.Field => token.Text,
            FilterTokenKind.Quoted => Unquote(token, alternativeQuotes: false),
            _ => throw Error(token.Position, "expected field or quoted"),
        };
    }

    private SelectorOperator ParseOperator()
    {
        var token = _scanner.Scan();
        return (token.Kind, token.Text) switch
        {
            (FilterTokenKind.Operator, "==") => SelectorOperator.Equal,
            (FilterTokenKind.Operator, "!=") => SelectorOperator.NotEqual,
            (FilterTokenKind.Operator, "~=") => SelectorOperator.Matches,
            (FilterTokenKind.Operator, _) => throw Error(token.Position, $"unsupported operator \"{token.Text}\""),
            _ => throw Error(token.Position, "expected an operator (\"==\"|\"!=\"|\"~=\")"),
        };
    }

    private string Unquote(FilterToken token, bool alternativeQuotes)
    {
        if (!alternativeQuotes && token.Text[0] != '"')
            throw Error(token.Position, "invalid quote encountered");
        return FilterQuote.TryUnquote(token.Text, out var text) ? text : throw Error(token.Position, "not a quoted text");
    }

    // Without backtracking, as Go's engine: time stays linear in the text whatever pattern a client sends.
    private Regex Pattern(FilterToken token, string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw Error(token.Position, $"\"{pattern}\" is not a regular expression: {e.Message}");
        }
    }

    private SnapshotArgumentException Error(int position, string message)
    {
        var place = position < input.Length
            ? $"{input[..position]} >|{input[position]}|< {input[(position + 1)..]}"
            : input;
        return new SnapshotArgumentException($"filters: parse error: [{place}]: {message}");
    }
}
