using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What a student is trained for: everything in training that depends on the meaning of its outputs. Implemented by <see cref="MulticlassTask"/> and <see cref="EmbeddingTask"/>.</summary>
internal abstract class StudentTask
{
    /// <summary>Number of outputs of the student's last layer.</summary>
    public abstract int LogitCount { get; }

    /// <summary>The output of the student that a loss must read for the student to be judged: without it, a stage trains features below.</summary>
    public virtual ModelOutputs JudgedOutput => ModelOutputs.Logits;

    /// <summary>The loss of the labels, which methods add to the loss of the teacher; null if the student has no classes.</summary>
    public abstract DistillationLoss? LabelLoss { get; }

    /// <summary>Checks that the labels are valid for this task.</summary>
    /// <exception cref="InvalidOperationException">A label is out of range; the message names the row and the label.</exception>
    public abstract void CheckLabels(IRowSource set);

    /// <summary>Whether quality and loss are means over rows, so that those of parts can be joined.</summary>
    public virtual bool IsMeanOverRows => true;

    /// <summary>Compares the outputs with the labels.</summary>
    /// <param name="logits">The student's outputs, B×K.</param>
    /// <param name="labels">B labels; rows with <see cref="IRowSource.MissingLabel"/> do not count.</param>
    /// <param name="weights">B example weights, or null.</param>
    public abstract ValidationResult Evaluate(Tensor logits, Tensor labels, Tensor? weights);

    /// <summary>Compares the outputs with those of the teacher, for rows without labels.</summary>
    /// <param name="logits">The student's outputs, B×K.</param>
    /// <param name="teacher">The teacher's outputs, B×K.</param>
    /// <param name="weights">B example weights, or null.</param>
    public abstract ValidationResult EvaluateAgainstTeacher(Tensor logits, Tensor teacher, Tensor? weights);
}
