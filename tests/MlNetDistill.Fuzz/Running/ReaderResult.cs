namespace MlNetDistill.Fuzz.Running;

/// <summary>What came of the inputs of a reader.</summary>
internal sealed class ReaderResult(string reader)
{
    public string Reader => reader;

    public int Inputs { get; set; }

    /// <summary>Inputs that were read.</summary>
    public int Accepted { get; set; }

    /// <summary>Inputs that were refused with a documented exception.</summary>
    public int Refused { get; set; }

    public int Faults { get; set; }

    public double Seconds { get; set; }

    /// <summary>The most bytes on the managed heap that an input took.</summary>
    public long MostAllocated { get; set; }

    /// <summary>The largest share of its limit that an input took.</summary>
    public double MostOfLimit { get; set; }
}
