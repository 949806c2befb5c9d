using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Properties of any row source.</summary>
internal static class RowSourceQueries
{
    extension(IRowSource rows)
    {
        /// <summary>Whether features are bytes.</summary>
        public bool IsByte => rows.ElementType == ScalarType.Byte;

        /// <summary>Bytes of the features of a row.</summary>
        public long RowBytes => rows.Shape.Length * (rows.IsByte ? sizeof(byte) : sizeof(float));

        /// <summary>Bytes that the features take in memory.</summary>
        public long FeatureBytes => rows switch
        {
            SparseRows sparse => sparse.StoredBytes,
            FileRows file => file.BufferedBytes,
            JoinedRows joined => joined.Parts.Sum(part => part.FeatureBytes),
            _ => rows.Count * rows.RowBytes,
        };

        /// <summary>Number of rows that have a label.</summary>
        public long LabelledRows
        {
            get
            {
                using var scope = NewDisposeScope();
                return rows.Labels.IsNotEqualTo(IRowSource.MissingLabel).sum().item<long>();
            }
        }

        /// <summary>Every position in order, 64-bit, on the source's device, in the current dispose scope.</summary>
        public Tensor AllPositions() => TensorArithmetic.Range(rows.Count, rows.Device);

        /// <summary>Whether some labelled row at <paramref name="positions"/> has a weight above 0.</summary>
        public bool HasLabelledWeight(Tensor positions)
        {
            using var scope = NewDisposeScope();
            var counts = rows.Labels.index_select(0, positions).IsNotEqualTo(IRowSource.MissingLabel).to(ScalarType.Float32);
            return (rows.Weights is null ? counts : counts.mul(rows.Weights.index_select(0, positions))).sum().item<float>() > 0;
        }

        /// <summary>Whether some row at <paramref name="positions"/> has a weight above 0.</summary>
        public bool HasWeight(Tensor positions)
        {
            using var scope = NewDisposeScope();
            return rows.Weights is null ? positions.shape[0] > 0 : rows.Weights.index_select(0, positions).sum().item<float>() > 0;
        }

        /// <summary>Whether some row at <paramref name="positions"/> has a label; its weight may be 0.</summary>
        public bool HasLabel(Tensor positions)
        {
            using var scope = NewDisposeScope();
            return rows.Labels.index_select(0, positions).IsNotEqualTo(IRowSource.MissingLabel).any().item<bool>();
        }

        /// <summary>The largest absolute value of a feature; 0 where there is no row.</summary>
        public float LargestFeature()
        {
            if (rows is ISparseSource sparse)
                return StoredStatistics.FindLargest(sparse, rows.Count);
            var largest = 0f;
            foreach (var positions in Chunks.Split(rows.AllPositions(), Chunks.RowsAtATime(rows)))
            {
                using var scope = NewDisposeScope();
                largest = Math.Max(largest, rows.Gather(positions, rows.Device).abs().max().to(ScalarType.Float32).item<float>());
            }

            return largest;
        }
    }
}
