using System.Diagnostics;
using System.Globalization;

namespace MlNetDistill.DeviceCheck;

/// <summary>The machine's PyTorch, in a process that is asked again and again.</summary>
internal sealed class PyTorch
{
    private readonly Process _process;

    private PyTorch(Process process) => _process = process;

    public static PyTorch Start(string device, int rows)
    {
        var python = Environment.GetEnvironmentVariable("DEVICE_CHECK_PYTHON") ?? throw new InvalidOperationException("run.sh did not say which Python has PyTorch");
        var start = new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "speed.py"), device, $"{rows}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // It finds its own libraries.
        start.Environment["LD_LIBRARY_PATH"] = Environment.GetEnvironmentVariable("DEVICE_CHECK_LIBRARY_PATH");
        return new PyTorch(Process.Start(start)!);
    }

    public double RowsPerSecond(string kind, int batch, double seconds)
    {
        _process.StandardInput.WriteLine(FormattableString.Invariant($"{kind} {batch} {seconds}"));
        _process.StandardInput.Flush();
        var answer = _process.StandardOutput.ReadLine() ?? throw new IOException("speed.py ended");
        return double.TryParse(answer, CultureInfo.InvariantCulture, out var speed) ? speed : throw new IOException($"speed.py said: {answer}");
    }
}
