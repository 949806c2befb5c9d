using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers;

/// <summary>Out-of-fold answers where some classes have few rows.</summary>
public sealed class RareClassTests
{
    private const int Rows = 120;
    private readonly MLContext _context = new(seed: 1);

    [TestCase("text", TestName = "A_pipeline_that_makes_its_own_keys_of_text")]
    [TestCase("key", TestName = "A_pipeline_over_the_students_key")]
    [TestCase("trees", TestName = "A_tree_for_each_class_of_the_students_key")]
    public void A_class_with_one_row_has_its_share_as_probability_in_the_fold_of_that_row(string pipeline)
    {
        var log = new RowsLog(_context);
        var view = With("yew", 1);
        var seen = Answers(view, Pipeline(pipeline), folds: 3);

        var yew = Array.IndexOf([.. Support.Rows.Classes, "yew"], "yew");
        var ofYew = seen.Select(row => row[yew]).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(log.Warnings, Has.One.Matches<string>(w => w!.StartsWith("The class 'yew' has one row, in fold ") && w.Contains("the labelled rows, 0.008264.")));
            // A third of the rows is in that fold, 1/121 for each; the models of the others have met the class and answer as they see fit.
            Assert.That(ofYew.Count(p => Math.Abs(p - 1.0 / (Rows + 1)) < 1e-6), Is.InRange(40, 41));
            Assert.That(seen.Select(row => row.Sum()), Is.All.EqualTo(1).Within(1e-5));
        });
    }

    [TestCase(0, 2, "yew")]
    [TestCase(2, 2, "yew")]
    [TestCase(0, 3, null)]
    [TestCase(2, 3, null)]
    [TestCase(0, 4, null)]
    [TestCase(2, 4, null)]
    public void A_class_that_is_held_out_in_whole_or_in_part_has_its_share_where_no_model_knows_it(int folds, int rare, string? unknown)
    {
        // Two of the rare rows are held out, and one of ten others.
        var rows = Support.Rows.Points(Rows).Concat(Support.Rows.Points(rare, seed: 77).Select(p => { p.Label = "yew"; return p; })).ToArray();
        foreach (var (i, row) in rows.Index())
            row.Held = i % 10 == 0 || i is Rows or Rows + 1;
        var log = new RowsLog(_context);
        var view = _context.Keyed(rows);
        var teacher = Teacher.FromEstimator(Pipeline("text"), folds: folds);
        var model = _context.Fit(Support.Rows.Quick(teacher) with { ValidationColumnName = "Held", TransferRows = TransferRows.Munge(1), Epochs = 1 }, view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Scores(view)[0], Has.Length.EqualTo(4));
            Assert.That(log.Warnings.Count(w => w.StartsWith("All rows of the class 'yew' are held out, so the teacher is not fitted on it: its probability is its share of the labelled rows, 0.016393.", StringComparison.Ordinal)), Is.EqualTo(unknown is null ? 0 : 1));
            Assert.That(log.Warnings.Count(w => w.StartsWith("The class 'yew' has one row that is not held out, in fold ", StringComparison.Ordinal)), Is.EqualTo(folds > 0 && rare == 3 ? 1 : 0));
        });
    }

    [Test]
    public void A_class_with_as_many_rows_as_folds_is_in_each_of_them()
    {
        var perFold = new List<int>();
        var counting = new Counting(Pipeline("text"), view => perFold.Add(view.GetColumn<string>("Label").Count(label => label == "yew")));
        Answers(With("yew", 4), counting, folds: 4);
        Assert.That(perFold, Is.EqualTo(new[] { 3, 3, 3, 3 }));
    }

    [Test]
    public void Folds_are_of_equal_size_and_hold_each_row_once()
    {
        var fitted = new List<float[]>();
        var counting = new Counting(Pipeline("text"), view => fitted.Add([.. view.GetColumn<float[]>("Features").Select(f => f[0])]));
        var view = With("yew", 2);
        Answers(view, counting, folds: 5);
        var all = view.GetColumn<float[]>("Features").Select(f => f[0]).ToArray();
        var leftOut = fitted.SelectMany(f => all.Except(f)).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(leftOut, Is.EquivalentTo(all));
            Assert.That(fitted.Select(f => all.Length - f.Length), Is.All.InRange(24, 25));
        });
    }

    [Test]
    public void More_folds_than_rows_are_refused() => Assert.That(
        () => Answers(With("yew", 1), Pipeline("text"), folds: 500),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher's folds are 500, and the training data has 121 rows; at least one row for each fold is needed. Ask for fewer folds."));

    private IDataView With(string rare, int rows) => _context.Keyed(
        Support.Rows.Points(Rows).Concat(Support.Rows.Points(rows, seed: 77).Select(p => { p.Label = rare; return p; })));

    private IEstimator<ITransformer> Pipeline(string kind) => kind switch
    {
        "text" => _context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass")),
        "key" => _context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class"),
        _ => _context.MulticlassClassification.Trainers.OneVersusAll(_context.BinaryClassification.Trainers.FastTree("Class", numberOfTrees: 3), "Class"),
    };

    /// <summary>The probabilities that the student is taught in the first epoch, in the order of its batches.</summary>
    private double[][] Answers(IDataView view, IEstimator<ITransformer> pipeline, int folds)
    {
        var loss = new Watched();
        var rows = (int)view.GetColumn<uint>("Class").LongCount();
        _context.Fit(
            Support.Rows.Quick(Teacher.FromEstimator(pipeline, folds: folds)) with
            {
                Method = DistillationMethod.FromLoss("watched", loss),
                Epochs = 1,
                BatchSize = rows,
                MinimumTeacherAccuracy = 0,
            },
            view);
        return [.. loss.Seen.TakeLast(rows)];
    }

    private sealed class Watched : DistillationLoss
    {
        public List<double[]> Seen { get; } = [];

        public override string Name => "watched";

        public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

        public override Tensor Evaluate(LossInputs inputs)
        {
            var probabilities = inputs.Teacher.Logits!.softmax(1).to(float64);
            for (var row = 0; row < probabilities.shape[0]; row++)
                Seen.Add([.. probabilities[row].data<double>()]);
            return new KdLoss(4).Evaluate(inputs);
        }
    }

    /// <summary>Looks at the rows that an estimator is fitted to.</summary>
    private sealed class Counting(IEstimator<ITransformer> estimator, Action<IDataView> look) : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input)
        {
            look(input);
            return estimator.Fit(input);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => estimator.GetOutputSchema(inputSchema);
    }
}
