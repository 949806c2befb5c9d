using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;

namespace Examples;

/// <summary>The command line of the examples: parsing, errors and exit codes.</summary>
internal static class CommandLine
{
    /// <summary>Runs the command and returns the exit code of the process: that of the command, 1 if it failed, 2 if the command line is wrong.</summary>
    public static int Run(RootCommand command, string[] args)
    {
        // Some terminals start with a code page that lacks µ, ± and the tables' lines.
        Console.OutputEncoding = Encoding.UTF8;
        try
        {
            var given = command.Parse(args);
            var code = given.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
            return given.Errors.Count > 0 ? 2 : code;
        }
        catch (UsageException fault)
        {
            Console.Error.WriteLine(fault.Message);
            return 2;
        }
        catch (OperationCanceledException) when (Interruption.Token.IsCancellationRequested)
        {
            return Interruption.Explain();
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // The library's messages name what is wrong, what was expected and what to do.
            Console.Error.WriteLine(fault.Message);
            return 1;
        }
    }

    /// <summary>A text option with a default, <paramref name="otherwise"/>.</summary>
    public static Option<string?> Text(string name, string what, string description, string? otherwise = null) => new(name)
    {
        HelpName = what,
        Description = description,
        DefaultValueFactory = otherwise is null ? null : _ => otherwise,
    };

    /// <summary>The parts of a text option, separated by commas, each once; null if it was not given.</summary>
    public static IReadOnlyList<string>? Parts(ParseResult given, Option<string?> option) =>
        given.GetValue(option)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();

    /// <summary>The parts of a text option, each of which must be one of <paramref name="possible"/>; null if it was not given.</summary>
    public static IReadOnlyList<string>? Names(ParseResult given, Option<string?> option, IReadOnlyList<string> possible) =>
        Parts(given, option)?.Select(part => possible.Contains(part)
            ? part
            : throw new UsageException($"{option.Name} must be followed by names out of {string.Join(", ", possible)}; found '{part}'.")).ToList();

    /// <summary>A whole-number option with a range and a default, <paramref name="otherwise"/>.</summary>
    public static Option<int?> Number(
        string name, string description, int? otherwise = null, int atLeast = 1, int atMost = int.MaxValue, int multipleOf = 1)
    {
        var range = atMost < int.MaxValue ? $"from {atLeast} to {atMost}" : $"of at least {atLeast}";
        var what = multipleOf > 1 ? $"multiple of {multipleOf}" : $"whole number {range}";
        return new(name) { HelpName = "N", Description = description, DefaultValueFactory = otherwise is null ? null : _ => otherwise, CustomParser = Parse };

        int? Parse(ArgumentResult given)
        {
            var text = given.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number >= atLeast && number <= atMost && number % multipleOf == 0)
                return number;
            given.AddError($"{name} must be followed by a {what}; found '{text}'.");
            return null;
        }
    }
}

/// <summary>The command line is wrong; the message says what is possible.</summary>
internal sealed class UsageException(string message) : Exception(message);
