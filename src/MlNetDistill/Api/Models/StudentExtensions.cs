using Microsoft.ML.Data;
using MlNetDistill;

namespace Microsoft.ML;

/// <summary>Finds distilled students in fitted models.</summary>
public static class StudentExtensions
{
    /// <summary>
    /// The one student in a model that <c>Fit</c> returned, wherever it is in the pipeline. It gives access to the network and its training
    /// (<see cref="DistillationTransformer.Model"/>), the teacher, and <see cref="StudentTransformer.SaveOnnx"/>.
    /// </summary>
    /// <param name="model">A fitted pipeline, or a student itself. A student's <see cref="DistillationTransformer.Teacher"/> is not searched.</param>
    /// <exception cref="InvalidOperationException">
    /// There is no student, or there are several. A model loaded from a zip has none: it consists of ML.NET's own transformers.
    /// </exception>
    /// <example>
    /// <code>
    /// var model = pipeline.Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(train);
    /// var student = model.FindStudent();
    /// Console.WriteLine(student.Model);
    /// using var file = File.Create("student.onnx");
    /// student.SaveOnnx(file);
    /// </code>
    /// </example>
    public static DistillationTransformer FindStudent(this ITransformer model) => Single(model.FindStudents(), model, "");

    /// <summary>The student with a given score column, for pipelines with several students.</summary>
    /// <param name="model">A fitted pipeline, or a student itself.</param>
    /// <param name="scoreColumnName">Its <see cref="DistillationTransformer.ScoreColumnName"/>.</param>
    /// <exception cref="InvalidOperationException">There is no such student, or there are several.</exception>
    public static DistillationTransformer FindStudent(this ITransformer model, string scoreColumnName)
    {
        ArgumentNullException.ThrowIfNull(scoreColumnName);
        var all = model.FindStudents();
        DistillationTransformer[] matching = [.. all.Where(student => student.ScoreColumnName == scoreColumnName)];
        return matching.Length > 0 || all.Count == 0 ? Single(matching, model, $" with the score column '{scoreColumnName}'") : throw new InvalidOperationException(
            $"The model contains no student with the score column '{scoreColumnName}'; it contains {List(all)}.");
    }

    /// <summary>All students in a model that <c>Fit</c> returned, in the order of its pipeline; empty where there are none.</summary>
    /// <param name="model">A fitted pipeline, or a student itself.</param>
    public static IReadOnlyList<DistillationTransformer> FindStudents(this ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return [.. Parts(model).OfType<DistillationTransformer>()];
    }

    /// <summary>
    /// The same model with the student alone (<see cref="DistillationTransformer.Alone"/>) in place of its last student, to evaluate, measure or save it. Everything
    /// else in the pipeline is shared with the model.
    /// </summary>
    /// <param name="model">A fitted pipeline, or a student itself.</param>
    /// <exception cref="InvalidOperationException">There is no student, or the last one was fitted without <see cref="DistillationOptions.CompareAlone"/>.</exception>
    public static ITransformer WithStudentAlone(this ITransformer model)
    {
        if (model.FindStudents() is not [.., var student])
            return Single([], model, "");
        return student.Alone is { } alone ? Replace(model, student, alone) : throw new InvalidOperationException(
            $"The student {student.Model.Spec.Name} (score column '{student.ScoreColumnName}') has no student alone beside it. Set CompareAlone in its DistillationOptions and fit again.");
    }

    /// <summary>The rows as a student in a model reads them; null if it is not in the model.</summary>
    internal static IDataView? TransformBefore(ITransformer model, ITransformer student, IDataView rows)
    {
        if (ReferenceEquals(model, student))
            return rows;
        foreach (var part in model as IEnumerable<ITransformer> ?? [])
        {
            if (TransformBefore(part, student, rows) is { } found)
                return found;
            rows = part.Transform(rows);
        }

        return null;
    }

    /// <summary>A model with another transformer in the place of one of its own.</summary>
    internal static ITransformer Replace(ITransformer model, ITransformer old, ITransformer by) => ReferenceEquals(model, old) ? by
        : model is IEnumerable<ITransformer> chain ? new TransformerChain<ITransformer>([.. chain.Select(part => Replace(part, old, by))])
        : model;

    private static IEnumerable<ITransformer> Parts(ITransformer model) =>
        model is IEnumerable<ITransformer> chain ? chain.SelectMany(Parts) : [model];

    private static DistillationTransformer Single(IReadOnlyList<DistillationTransformer> students, ITransformer model, string which) => students.Count switch
    {
        1 => students[0],
        0 when !Parts(model).Any() => throw new InvalidOperationException("The model contains no student; it is an empty chain. Append Distill(...) to the pipeline and fit it."),
        0 when Parts(model).OfType<EmbeddingTransformer>().FirstOrDefault() is { } embedding => throw new InvalidOperationException(
            $"The model's student {embedding.Model.Spec.Name} gives embeddings (column '{embedding.OutputColumnName}'), and a student that classifies is needed here. A student of " +
            "embeddings is the transformer that its own Fit returned, LastTransformer of a chain that ends with it; it has no student alone and is in 32-bit floats only."),
        0 => throw new InvalidOperationException(
            $"The model contains no student; it consists of {string.Join(", ", Parts(model).Select(part => part.GetType().Name.Split('`')[0]))}. A model loaded " +
            "from a zip consists of ML.NET's own transformers alone: call FindStudent on the model that Fit returned, before or after saving it."),
        _ => throw new InvalidOperationException(
            $"The model contains {students.Count} students{which}: {List(students)}. Choose one by a score column that only it has, FindStudent(\"...\"), or by its " +
            "position in FindStudents(), which is in the order of the pipeline."),
    };

    private static string List(IEnumerable<DistillationTransformer> students) =>
        string.Join(", ", students.Select(student => $"{student.Model.Spec.Name} (score column '{student.ScoreColumnName}')"));
}
