using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;

namespace Examples;

/// <summary>What every example with a command line does around its work.</summary>
internal static class CommandLine
{
    /// <summary>Runs it, and gives the process's exit code: its own, 1 where it failed, 2 where it was called wrongly.</summary>
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
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // The library's messages name what is wrong, what was expected and what to do.
            Console.Error.WriteLine(fault.Message);
            return 1;
        }
    }

    /// <summary>An option with a word; <paramref name="otherwise"/> is what it is where it is not given.</summary>
    public static Option<string?> Text(string name, string what, string description, string? otherwise = null) => new(name)
    {
        HelpName = what,
        Description = description,
        DefaultValueFactory = otherwise is null ? null : _ => otherwise,
    };

    /// <summary>An option with a whole number in a range; <paramref name="otherwise"/> is what it is where it is not given.</summary>
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

/// <summary>The user asked for something that cannot be done; the message says what can.</summary>
internal sealed class UsageException(string message) : Exception(message);
