namespace MlNetDistill.Methods;

/// <summary>One part of a method's training; the next begins with what this one has trained. <see cref="Stage"/> is the kind that there is today.</summary>
public abstract record TrainingPhase
{
    // The training loop knows every kind by an arm of its own, so applications cannot add one.
    private protected TrainingPhase(string name, int epochs) => (Name, Epochs) = (name, epochs);

    /// <summary>Its name in logs and progress.</summary>
    public string Name { get; init; }

    /// <summary>Epochs, at least 1.</summary>
    public int Epochs { get; init; }

    /// <summary>Its name and its epochs.</summary>
    public override string ToString() => Epochs == 1 ? $"{Name}: 1 epoch" : FormattableString.Invariant($"{Name}: {Epochs} epochs");
}
