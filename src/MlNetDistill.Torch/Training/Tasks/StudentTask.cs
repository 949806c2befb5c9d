using MlNetDistill.Data;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>What a student is trained for: all of training that depends on the meaning of its outputs. <see cref="MulticlassTask"/> is the kind that there is today.</summary>
internal abstract class StudentTask
{
    /// <summary>Number of outputs of the student's last layer.</summary>
    public abstract int LogitCount { get; }

    /// <summary>The loss of the labels, which methods add to what they learn from the teacher.</summary>
    public abstract DistillationLoss LabelLoss { get; }

    /// <summary>Refuses rows whose labels are none of this task.</summary>
    /// <exception cref="InvalidOperationException">A label is out of range; the message names the row and the label.</exception>
    public abstract void CheckLabels(IRowSource set);

    /// <summary>How good outputs are by the labels.</summary>
    /// <param name="logits">The student's outputs, B×K.</param>
    /// <param name="labels">B labels; rows of <see cref="IRowSource.MissingLabel"/> do not count.</param>
    /// <param name="weights">B example weights, or null.</param>
    public abstract ValidationResult Evaluate(Tensor logits, Tensor labels, Tensor? weights);

    /// <summary>How good outputs are by the teacher's, for rows without labels.</summary>
    /// <param name="logits">The student's outputs, B×K.</param>
    /// <param name="teacher">The teacher's outputs, B×K.</param>
    /// <param name="weights">B example weights, or null.</param>
    public abstract ValidationResult EvaluateAgainstTeacher(Tensor logits, Tensor teacher, Tensor? weights);
}
