using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>The embeddings of student and teacher for losses that compare them element by element: if the lengths differ, a linear layer maps the student's to the teacher's.</summary>
internal static class EmbeddingPair
{
    /// <summary>A linear layer without bias from the student's length to the teacher's; none if they are equal.</summary>
    public static IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, DistillationLoss loss, Generator generator)
    {
        var (from, to) = (RowFeatures.Length(student, ModelOutputs.Embedding, loss), RowFeatures.Length(teacher, ModelOutputs.Embedding, loss));
        // No bias: a constant part of every embedding would make all of them alike, and an angle has no use for it.
        return from == to ? [] : [FeatureAdapter.Linear(from, to, false, generator)];
    }

    /// <summary>The student's embeddings, mapped to the teacher's length if need be, and the teacher's.</summary>
    public static (Tensor Student, Tensor Teacher) Select(LossInputs inputs, DistillationLoss loss)
    {
        var (student, teacher) = (inputs.Student.Embedding, inputs.Teacher.Embedding);
        return (student.shape[1] == teacher.shape[1] ? student : inputs.ProjectionsFor(loss)[0].call(student), teacher);
    }
}
