namespace DoesItPay.Measured;

/// <summary>What tells one run from all others: a name for each, as on the command line.</summary>
internal sealed record RunKey(string Set, int Regime, string Teacher, int Student, string Arm, int Seed)
{
    public string FileName => $"{Set}.{Regime}.{Teacher}.{Student}.{Arm}.{Seed}.json";
}

/// <summary>The result of a student, as it is written to a file. Shares are from 0 to 1.</summary>
internal sealed record Run
{
    public required RunKey Key { get; init; }

    /// <summary>A hash of the settings and the rows.</summary>
    public required string Settings { get; init; }

    /// <summary>Why there is no result; null if there is one.</summary>
    public string? Failure { get; init; }

    /// <summary>Rows with labels.</summary>
    public int LabelledRows { get; init; }

    /// <summary>Rows that an epoch had.</summary>
    public int Rows { get; init; }

    public int Epochs { get; init; }

    public long Steps { get; init; }

    public double Seconds { get; init; }

    public double Accuracy { get; init; }

    /// <summary>Share of the test rows with the same class as the teacher's.</summary>
    public double Agreement { get; init; }

    /// <summary>Mean KL(teacher ‖ student) over the test rows, in nats.</summary>
    public double Divergence { get; init; }

    public long ZipBytes { get; init; }

    public double Microseconds { get; init; }

    public double TeacherAccuracy { get; init; }

    public long TeacherZipBytes { get; init; }

    public double TeacherMicroseconds { get; init; }

    /// <summary>A bit for each test row in base64: whether the student is right.</summary>
    public string Correct { get; init; } = "";

    /// <summary>A bit for each test row in base64: whether it has the teacher's class.</summary>
    public string Agrees { get; init; } = "";

    /// <summary>Number of test rows.</summary>
    public int TestRows { get; init; }

    /// <summary>The options of the fit, and what was chosen.</summary>
    public required IReadOnlyList<string> Options { get; init; }

    /// <summary>When it was written, in UTC.</summary>
    public DateTime Written { get; init; }
}
