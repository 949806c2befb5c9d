using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

public sealed class TransferRefusalTests
{
    private readonly MLContext _context = Rows.Context();

    private DistillationOptions Munge => Rows.Quick(Teacher.Train(NetworkSpec.Mlp(4), epochs: 1)) with { TransferRows = TransferRows.Munge() };

    [Test]
    public void Settings_are_checked_when_the_trainer_is_made() => Refuses<ArgumentOutOfRangeException>(
        () => Trainer(Munge with
        {
            TransferRows = (TransferRows.Munge(0, 1.5, 0) with { MaximumRows = 0, Weight = 0 })
                .And(TransferRows.Spunge(share: 2, noiseProbability: -1, noise: -0.5)).And(TransferRows.MarginalSwap(probability: 0)).And(TransferRows.Interpolate(neighbours: 0))
                .And(TransferRows.Munge() with { FixedColumns = null! }),
        }),
        "TransferRows.Weight must be above 0; was 0.",
        "The copies of TransferRows must be above 0; was 0.",
        "TransferRows.MaximumRows must be at least 1; was 0.",
        "The probability of TransferRows must be in (0, 1]; was 1.5.",
        "The spread of TransferRows must be above 0; was 0.",
        "The share of TransferRows must be in [0, 1]; was 2.",
        "The noiseProbability of TransferRows must be in [0, 1]; was -1.",
        "The noise of TransferRows must be at least 0; was -0.5.",
        "The probability of TransferRows must be in (0, 1]; was 0.",
        "The neighbours of TransferRows must be at least 1; was 0.",
        "FixedColumns and CategoricalColumns of TransferRows must be lists of names, or empty; one was null.");

    [Test]
    public void Rows_of_several_kinds_have_weights_of_their_own() => Refuses<ArgumentOutOfRangeException>(
        () => Trainer(Munge with { TransferRows = TransferRows.Munge().And(TransferRows.Spunge()) with { Weight = 2 } }),
        "TransferRows.Weight of rows of several kinds must be left 1: set that of each kind before And. It was 2.");

    [Test]
    public void A_method_without_use_for_rows_without_labels_is_refused() => Assert.Multiple(() =>
    {
        Refuses<ArgumentOutOfRangeException>(
            () => Trainer(Munge with { Method = DistillationMethod.LabelsOnly() }),
            "TransferRows have no labels, and the method labels only asks no teacher about them; leave TransferRows null, or use a method that does.");
        Refuses<ArgumentOutOfRangeException>(
            () => Trainer(Munge with { Method = DistillationMethod.FromLoss("dkd", new DkdLoss(4)) }),
            "compares the teacher with the label of each row, and TransferRows have none; leave TransferRows null, or use another method.");
        Refuses<ArgumentOutOfRangeException>(
            () => Trainer(Munge with { Sampling = BatchSampling.ClassUniform() }),
            "BatchSampling.ClassUniform needs the label of every row, and TransferRows have none; use another Sampling.");
        Refuses<ArgumentOutOfRangeException>(
            () => Trainer(Munge with { Method = DistillationMethod.Dist(), TransferRows = TransferRows.Munge() with { Weight = 0.5 } }),
            "has a loss over pairs of rows, to which example weights cannot be applied; leave TransferRows.Weight 1.");
    });

    [Test]
    public void Scores_that_were_loaded_cannot_be_asked_for()
    {
        var rows = Rows.Points(30).Select(p => new Scored { Label = p.Label, Features = p.Features, Score = RowsTeachers.Rule(p.Features) });
        Refuses<InvalidOperationException>(
            () => _context.Fit(Munge with { Teacher = Teacher.FromColumn("Score", classNames: Rows.Classes), MinimumTeacherAccuracy = 0 }, _context.Keyed(rows)),
            "TransferRows: the teacher's scores in column 'Score' were loaded with the data, so it cannot be asked for rows that are made up. Use the model itself " +
            "(Teacher.FromTransformer, FromOnnx), or give rows of your own that have the column by TransferRows.From.");
    }

    [Test]
    public void A_step_that_numbers_its_rows_anew_is_refused()
    {
        var sample = _context.Data.BootstrapSample(_context.Data.LoadFromEnumerable(Rows.Points(60)), seed: 1);
        var data = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(sample).Transform(sample);
        Refuses<InvalidOperationException>(
            () => _context.Fit(Munge, data),
            "training rows are found among the loaded rows, because a step before the trainer numbers its rows anew. Leave out such steps (bootstrap samples, for example), " +
            "or make the rows of your own and give them by TransferRows.From.");
    }

    [Test]
    public void Rows_of_another_form_are_refused() => Assert.Multiple(() =>
    {
        Refuses<InvalidOperationException>(
            () => _context.Fit(Munge with { TransferRows = TransferRows.From(_context.Data.LoadFromEnumerable([new Other { Text = "" }])) }, _context.Keyed(Rows.Points(30))),
            "TransferRows.From: the rows have no column 'Features', which the student or the teacher needs. They have 'Text'. Load the rows with the columns that the " +
            "training data were loaded with; only the label may be left out.");
        Refuses<InvalidOperationException>(
            () => _context.Fit(Munge with { TransferRows = TransferRows.From(_context.Data.LoadFromEnumerable([new Longer()])) }, _context.Keyed(Rows.Points(30))),
            "TransferRows.From: column 'Features' of the rows is Vector<Single, 5>, and it is Vector<Single, 4> in the training data. Load both in the same way.");
    });

    [Test]
    public void Nothing_to_mix_is_refused() => Assert.Multiple(() =>
    {
        Refuses<InvalidOperationException>(
            () => _context.Fit(Munge with { TransferRows = TransferRows.Munge() with { FixedColumns = ["Features"] } }, _context.Keyed(Rows.Points(30))),
            "TransferRows: there is nothing to mix: the student and the teacher read no column of numbers, keys, text or Booleans that is not in FixedColumns");
        Refuses<InvalidOperationException>(
            () => _context.Fit(Munge with { TransferRows = TransferRows.Munge() with { FixedColumns = ["Sizes"] } }, _context.Keyed(Rows.Points(30))),
            "TransferRows.FixedColumns names 'Sizes', and the loaded rows have no such column. They have 'Label', 'Features', 'Weight', 'Held'.");
    });

    [Test]
    public void Without_settings_no_rows_are_made() => Refuses<InvalidOperationException>(
        () => Trainer(Rows.Quick()).MakeTransferRows(_context.Keyed(Rows.Points(30))),
        "TransferRows is not set in the options, so there are none to make; set it, for example to TransferRows.Munge().");

    private DistillationTrainer Trainer(DistillationOptions options) => _context.MulticlassClassification.Trainers.Distill(options);

    private static void Refuses<TException>(Action run, params string[] sentences)
        where TException : Exception
    {
        var message = Assert.Throws<TException>(() => run())!.Message;
        foreach (var sentence in sentences)
            Assert.That(message, Does.Contain(sentence));
    }

    private sealed class Scored
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }

    private sealed class Other
    {
        public string Text { get; set; } = "";
    }

    private sealed class Longer
    {
        [VectorType(5)]
        public float[] Features { get; set; } = new float[5];
    }
}
