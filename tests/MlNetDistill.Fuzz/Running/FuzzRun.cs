using System.Diagnostics;
using MlNetDistill.Fuzz.Mutating;
using MlNetDistill.Fuzz.Readers;
using static System.FormattableString;

namespace MlNetDistill.Fuzz.Running;

/// <summary>Gives a reader its inputs, and checks what came of each.</summary>
internal sealed class FuzzRun
{
    /// <summary>An input may allocate so many times what its reader declares: messages, and what a runtime allocates once.</summary>
    private const int TimesBound = 2;

    private const int InputsBetweenFileChecks = 200;
    private const int MostKept = 30;
    private readonly Reader _reader;
    private readonly FuzzSettings _settings;
    private readonly Watchdog _watchdog;
    private readonly Inputs _inputs;
    private readonly ReaderResult _result;
    private readonly HashSet<string> _kept = [];

    public FuzzRun(Reader reader, FuzzSettings settings, Watchdog watchdog)
    {
        (_reader, _settings, _watchdog, _result) = (reader, settings, watchdog, new ReaderResult(reader.Name));
        _inputs = new Inputs(reader, settings.Seed);
    }

    public ReaderResult Run()
    {
        // What is allocated once in a process is no input's. And the seeds must be read, or nothing is tested.
        foreach (var (seed, number) in _reader.Seeds.Select((seed, number) => (seed, number)))
        {
            _reader.Place(seed);
            Try(seed);
            _reader.Place(seed);
            if (Try(seed) is { } fault)
                throw new InvalidOperationException(Invariant($"The reader {_reader.Name} does not read its seed {number}: {fault}"), fault);
        }

        var watch = Stopwatch.StartNew();
        if (_settings.Only is { } only)
            Check(only);
        else
            CheckAll(Math.Max(1, _settings.Inputs / _reader.Cost));
        _result.Seconds = watch.Elapsed.TotalSeconds;
        return _result;
    }

    private void CheckAll(int count)
    {
        // The seeds have left what a reader always leaves.
        var files = Resources.FilesOf(_reader.Folder);
        for (var number = 0; number < count; number++)
        {
            Check(number);
            if (number % InputsBetweenFileChecks == InputsBetweenFileChecks - 1 || number == count - 1)
                files = CheckFiles(number, files);
        }
    }

    private int CheckFiles(int number, int before)
    {
        var now = Resources.FilesOf(_reader.Folder);
        if (now > before)
            Keep(number, [], "files", Invariant($"{now - before} files are open or left after the inputs up to this one that were not before."));
        return now;
    }

    private void Check(int number)
    {
        var input = _inputs.Create(number);
        _watchdog.Begin(NameOf(number), input);
        _reader.Place(input);
        var (tensors, allocated) = (Resources.Tensors, GC.GetAllocatedBytesForCurrentThread());
        var error = Try(input);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        _watchdog.End();
        _result.Inputs++;
        _result.MostAllocated = Math.Max(_result.MostAllocated, allocated);
        var limit = TimesBound * _reader.Bound(input.Length);
        _result.MostOfLimit = Math.Max(_result.MostOfLimit, (double)allocated / limit);
        if (error is not null && !_reader.IsExpected(error))
            Keep(number, input, SourceOf(error), $"{error}");
        else if (allocated > limit)
            Keep(number, input, "memory", Invariant($"{allocated:N0} bytes were allocated; {limit:N0} are the limit for {input.Length:N0} bytes. {error}"));
        else if (Resources.Tensors != tensors)
            Keep(number, input, "tensors", Invariant($"{Resources.Tensors - tensors} tensors are left. {error}"));
        else if (error is null)
            _result.Accepted++;
        else
            _result.Refused++;
    }

    private Exception? Try(byte[] input)
    {
        try
        {
            _reader.Read(input);
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }

    private string NameOf(int number) => Invariant($"{_reader.Name}-{_settings.Seed}-{number}");

    // Of many inputs that show the same fault, one is kept.
    private void Keep(int number, byte[] input, string what, string text)
    {
        _result.Faults++;
        if (_kept.Count >= MostKept || !_kept.Add(what))
            return;
        var path = Path.Combine(_settings.Folder, NameOf(number));
        File.WriteAllBytes(path + ".bin", input);
        File.WriteAllText(path + ".txt", text);
        Console.WriteLine($"{NameOf(number)}: {text.Split('\n')[0]}");
    }

    private static string SourceOf(Exception error) => $"{error.GetType()} {error.StackTrace?.Split('\n')[0]}";
}
