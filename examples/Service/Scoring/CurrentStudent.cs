namespace Service.Scoring;

/// <summary>The student that new requests get, and its replacement while the service runs.</summary>
internal sealed partial class CurrentStudent : IAsyncDisposable
{
    private readonly ServiceSettings _settings;
    private readonly ScoringInstruments _instruments;
    private readonly ILogger<CurrentStudent> _log;
    // One replacement at a time: each holds a second student in memory.
    private readonly SemaphoreSlim _replacing = new(1);
    private ServedStudent _served;
    private volatile bool _isDisposed;

    /// <param name="student">The first student; this disposes it.</param>
    /// <param name="settings">Names the file that replacements are read from.</param>
    /// <param name="instruments">Count replacements.</param>
    /// <param name="log">Gets a line for each replacement.</param>
    public CurrentStudent(LoadedStudent student, ServiceSettings settings, ScoringInstruments instruments, ILogger<CurrentStudent> log)
    {
        (_settings, _instruments, _log) = (settings, instruments, log);
        _served = ServedStudent.Start(student, settings, instruments);
        LastTried = student.File.Stamp;
    }

    /// <summary>Why the newest file was refused; null if it is served.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The file that was loaded or refused last.</summary>
    public FileStamp? LastTried { get; private set; }

    /// <summary>Gets the student for one request; call <see cref="ServedStudent.RemoveUser"/> when the request has its answer.</summary>
    public ServedStudent Take()
    {
        while (true)
        {
            var served = Volatile.Read(ref _served);
            if (served.TryAddUser())
                return served;
            // It was replaced just now, so the next look finds another; unless the service has ended.
            ObjectDisposedException.ThrowIf(_isDisposed, this);
        }
    }

    /// <summary>
    /// Loads the file again. New requests get the student of the file; if it cannot take the place of the present one, for whatever reason, the present one stays: no file
    /// may end the service.
    /// </summary>
    /// <returns>Why it was refused, or null.</returns>
    public async Task<string?> Reload()
    {
        await _replacing.WaitAsync();
        try
        {
            if (_isDisposed)
                return "The service is ending.";
            await Replace();
            Refusal = null;
        }
        catch (Exception e)
        {
            Refusal = e is UsageException ? e.Message : $"{_settings.Model} cannot replace the student in service: {e.Message} ({e.GetType()})";
            _instruments.Replacements.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));
            LogRefusal(e is UsageException ? null : e, Refusal);
        }
        finally
        {
            _replacing.Release();
        }

        return Refusal;
    }

    public async ValueTask DisposeAsync()
    {
        // A replacement that is under way publishes its student first, which is then the one to dispose.
        await _replacing.WaitAsync();
        var wasDisposed = _isDisposed;
        _isDisposed = true;
        // It has no handle to dispose of, and a replacement may still be asked for.
        _replacing.Release();
        if (wasDisposed)
            return;
        _served.RemoveUser();
        await _served.End;
    }

    private async Task Replace()
    {
        LastTried = FileStamp.Of(_settings.Model);
        var (old, student) = (_served, LoadedStudent.Load(_settings.Model, _settings.Features, _settings.MaxBatch));
        LastTried = student.File.Stamp;
        if (student.File.Sha256 == old.Student.File.Sha256)
        {
            student.Dispose();
            return;
        }

        if (old.Student.DifferenceFor(student) is { } difference)
        {
            student.Dispose();
            throw new UsageException($"{_settings.Model} cannot replace the student in service: {difference} Restart the service to change what clients send and get.");
        }

        var served = Start(student);
        if (await Try(served) is { } fault)
        {
            served.RemoveUser();
            throw new UsageException($"{_settings.Model} cannot replace the student in service. {fault}");
        }

        Volatile.Write(ref _served, served);
        old.RemoveUser();
        _ = LogFailedEnd(old);
        _instruments.Replacements.Add(1, new KeyValuePair<string, object?>("outcome", "replaced"));
        LogReplacement(student.File.Sha256, old.Student.File.Sha256);
    }

    private ServedStudent Start(LoadedStudent student)
    {
        try
        {
            return ServedStudent.Start(student, _settings, _instruments);
        }
        catch
        {
            student.Dispose();
            throw;
        }
    }

    private static async Task<string?> Try(ServedStudent served)
    {
        try
        {
            return await served.Try();
        }
        catch (Exception e)
        {
            return $"It cannot score a row of zeros: {e.Message}";
        }
    }

    private async Task LogFailedEnd(ServedStudent old)
    {
        try
        {
            await old.End;
        }
        catch (Exception e)
        {
            LogNotDisposed(e, old.Student.File.Sha256);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "New requests get the student {Sha256}; before: {Before}.")]
    private partial void LogReplacement(string sha256, string before);

    [LoggerMessage(Level = LogLevel.Error, Message = "The student in service stays: {Reason}")]
    private partial void LogRefusal(Exception? error, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The replaced student {Sha256} could not be disposed; its memory stays in use.")]
    private partial void LogNotDisposed(Exception error, string sha256);
}
