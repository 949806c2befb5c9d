using MlNetDistill.Core;

namespace MlNetDistill.Methods;

/// <summary>One part of a method's training; the next one continues with the student that this one trained. The only kind so far is <see cref="Stage"/>.</summary>
public abstract record TrainingPhase
{
    // Applications cannot add a kind, because the training loop has code for each.
    private protected TrainingPhase(string name, int epochs) => (Name, Epochs) = (name, epochs);

    /// <summary>Its name in logs and progress.</summary>
    public string Name { get; init; }

    /// <summary>Epochs, at least 1.</summary>
    public int Epochs { get; init; }

    /// <summary>Its name and its epochs.</summary>
    public override string ToString() => $"{Name}: {NumberText.Count(Epochs, "epoch")}";
}
