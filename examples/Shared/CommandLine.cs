using System.Text;

namespace Examples;

/// <summary>What every example with a command line does around its work.</summary>
internal static class CommandLine
{
    /// <summary>Runs it, and gives the process's exit code: its own, 1 where it failed, 2 where it was called wrongly.</summary>
    public static int Run(Func<int> work)
    {
        // Some terminals start with a code page that lacks µ, ± and the tables' lines.
        Console.OutputEncoding = Encoding.UTF8;
        try
        {
            return work();
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
}
