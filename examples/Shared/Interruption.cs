using System.Runtime.InteropServices;

namespace Examples;

/// <summary>
/// Ctrl+C (SIGINT) and SIGTERM. The first asks the training to stop, which it does within a step; the program ends with an explanation. The second ends the process at once.
/// Examples pass <see cref="Token"/> to everything that trains.
/// </summary>
internal static class Interruption
{
    private static readonly CancellationTokenSource Source = new();

    // Kept, because a registration that is collected no longer receives signals.
    private static readonly PosixSignalRegistration[] Registrations = Register();

    private static int _exitCode;

    /// <summary>Is cancelled by the first signal.</summary>
    public static CancellationToken Token => Registrations.Length > 0 ? Source.Token : default;

    /// <summary>What is kept of a training that is stopped, and how to go on.</summary>
    public static string HowToGoOn { private get; set; } = "Nothing of it is kept: start it again.";

    /// <summary>Explains the end of the program, and gives the exit code that shells use for the signal.</summary>
    public static int Explain()
    {
        Console.Error.WriteLine($"Stopped. {HowToGoOn}");
        return _exitCode;
    }

    private static PosixSignalRegistration[] Register()
    {
        // For programs without CommandLine, whose trainings throw to the end of the program.
        AppDomain.CurrentDomain.UnhandledException += (_, fault) =>
        {
            if (fault.ExceptionObject is OperationCanceledException && Source.IsCancellationRequested)
                Environment.Exit(Explain());
        };
        return [PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive)];
    }

    private static void Receive(PosixSignalContext signal)
    {
        // 128 plus the number of the signal, as shells count.
        _exitCode = signal.Signal == PosixSignal.SIGINT ? 130 : 143;
        if (Source.IsCancellationRequested)
            Environment.Exit(_exitCode);
        signal.Cancel = true;
        Console.Error.WriteLine("Stopping after the present step. Once more ends the program at once.");
        Source.Cancel();
    }
}
