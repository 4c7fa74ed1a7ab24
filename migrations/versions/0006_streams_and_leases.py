"""Streams and leases"""

import sqlalchemy as sa
from alembic import op

import core.database

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('conversation_waiters',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.Column('conversation_id', sa.Uuid(), nullable=False),
    sa.Column('holder', sa.String(length=64), nullable=False),
    sa.Column('expires_at', core.database.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_conversation_waiters_conversation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_conversation_waiters_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversation_waiters')),
    info={'data_class': 'operational', 'erased_by': "holds no personal data; deleted when the message's turn has come"}
    )
    with op.batch_alter_table('conversation_waiters', schema=None) as batch_op:
        batch_op.create_index('ix_conversation_waiters_conversation', ['conversation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_conversation_waiters_organization_id'), ['organization_id'], unique=False)

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('next_holder', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('waiting_until', core.database.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_column('waiting_until')
        batch_op.drop_column('next_holder')

    with op.batch_alter_table('conversation_waiters', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conversation_waiters_organization_id'))
        batch_op.drop_index('ix_conversation_waiters_conversation')

    op.drop_table('conversation_waiters')
