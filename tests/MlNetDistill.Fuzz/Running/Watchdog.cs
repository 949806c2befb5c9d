using System.Diagnostics;

namespace MlNetDistill.Fuzz.Running;

/// <summary>
/// Ends the process if an input takes too long, after the input was kept. It also notes which input is being read, because one that ends the process, such as by a stack overflow,
/// cannot be reported afterwards.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly string _folder;
    private readonly FileStream _note;
    private readonly Timer _timer;
    private byte[] _input = [];
    private string _name = "";
    private long _started;

    public Watchdog(string folder)
    {
        _folder = folder;
        _note = new FileStream(Path.Combine(folder, "current.txt"), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _timer = new Timer(_ => Check(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    /// <summary>Reading an input begins.</summary>
    public void Begin(string name, byte[] input)
    {
        (_name, _input) = (name, input);
        _note.Position = 0;
        _note.Write(System.Text.Encoding.ASCII.GetBytes(name.PadRight(80)));
        Volatile.Write(ref _started, Stopwatch.GetTimestamp());
    }

    /// <summary>It has ended.</summary>
    public void End() => Volatile.Write(ref _started, 0);

    public void Dispose()
    {
        _timer.Dispose();
        _note.Dispose();
    }

    private void Check()
    {
        var started = Volatile.Read(ref _started);
        if (started == 0 || Stopwatch.GetElapsedTime(started) < Limit)
            return;
        File.WriteAllBytes(Path.Combine(_folder, $"{_name}.hang"), _input);
        Console.Error.WriteLine($"{_name} was not read within {Limit.TotalSeconds} s. The input is kept in {_folder}.");
        Environment.Exit(1);
    }
}
