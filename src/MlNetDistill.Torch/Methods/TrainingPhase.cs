using MlNetDistill.Core;

namespace MlNetDistill.Methods;

/// <summary>One part of a method's training; the next one continues with the student that this one trained. The kinds are <see cref="Stage"/> and <see cref="BilevelStage"/>.</summary>
public abstract record TrainingPhase
{
    // Applications cannot add a kind, because the training loop has code for each.
    private protected TrainingPhase(string name, int epochs) => (Name, Epochs) = (name, epochs);

    /// <summary>Its name in logs and progress.</summary>
    public string Name { get; init; }

    /// <summary>Epochs, at least 1.</summary>
    public int Epochs { get; init; }

    /// <summary>How the student trains in it: the phase itself, if it is a stage.</summary>
    internal abstract Stage StudentStage { get; }

    /// <summary>Whether its steps read the teacher that was given, so that a cache of its outputs is of use: not where a copy trains.</summary>
    internal abstract bool ReadsTeacher { get; }

    /// <summary>Its name and its epochs.</summary>
    public override string ToString() => $"{Name}: {NumberText.Count(Epochs, "epoch")}";
}
